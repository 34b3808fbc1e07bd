"""What is wrong with an image, what is accepted for a time, and what blocks a release."""
