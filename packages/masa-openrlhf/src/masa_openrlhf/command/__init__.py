"""What the command line says and takes, apart from what its commands do."""
