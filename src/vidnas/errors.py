"""The errors that vidnas explains to a person instead of showing a traceback."""


class UserError(Exception):
    """Something in the user's files, folders or values is wrong.

    The message names the file and the value, says what is allowed and what to do. The command line
    prints it and exits with 1.
    """


class UsageError(UserError):
    """The command line itself, or a setting given in Python, is wrong; the command line exits with 2."""


class Interrupted(Exception):
    """A run was asked to stop and has saved its state; the message says how to go on.

    `exit_code` is the shell's usual one for the signal.
    """

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code
