"""Problems made by reasoning-gym, and their own scorers."""
