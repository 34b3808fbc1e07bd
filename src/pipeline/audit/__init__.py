"""The audit trail: who did what, when, from where and why, in records that hang together."""
