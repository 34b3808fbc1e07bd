"""Runs the stack in the engine itself: nothing stays of it."""
