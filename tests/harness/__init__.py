"""What the tests stand on: real servers, faults on purpose, and the keeper of the truth."""
