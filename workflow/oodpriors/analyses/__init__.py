"""What is measured on pixels, images and weights, and is no score: one module an analysis."""
