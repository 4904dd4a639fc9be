"""Problems, and how they are put to a model."""
