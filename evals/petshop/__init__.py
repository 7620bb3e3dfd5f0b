"""PetShop: labelled faults of a real microservice application, as cases for the ranking of signal analysis."""
