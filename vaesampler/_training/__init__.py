"""How a stack of VAEs is trained."""
