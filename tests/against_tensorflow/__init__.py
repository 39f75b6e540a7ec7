"""Beras against TensorFlow and Keras: the only place that imports TensorFlow."""
