"""Sets up a Dagger engine on a machine that reaches package registries and nothing else."""
