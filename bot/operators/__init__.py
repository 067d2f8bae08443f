"""What whoever runs the bot can do and see: each command of `bot.cli` is a function here."""
