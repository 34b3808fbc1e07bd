"""What of this room talks to Dagger's engine; beside it all is plain Python."""
