"""Accuracy: how often the bot is right, measured on recorded and made-up failures."""
