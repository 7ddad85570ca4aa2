"""People: who they are, how they sign in, and on whose behalf anything is done."""
