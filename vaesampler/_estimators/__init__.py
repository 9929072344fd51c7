"""scikit-learn's and imbalanced-learn's contracts."""
