"""Worker processes for what may hang or take too much memory."""
