"""An invented hospital to try the bot on: written as the data folder that a real one would bring."""
