"""The typed catalogue of actions. Describing an action changes nothing; what is not in the catalogue is refused."""
