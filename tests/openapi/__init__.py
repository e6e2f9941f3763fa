"""The description of the API in the hands of other programs: a validator, schemathesis, a browser and newman."""
