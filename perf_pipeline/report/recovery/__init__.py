"""What failures did and how the target came back, as the report shows it."""
