"""What a person types: commands, written once for the command line and for the shell."""
