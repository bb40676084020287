"""What crosses to health systems and back."""
