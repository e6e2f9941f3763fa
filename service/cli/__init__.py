"""The command line `digit-predict`: the predictor of the service without a server."""
