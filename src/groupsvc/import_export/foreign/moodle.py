"""Columns of the participants of Moodle, in the languages of those who download them."""

from typing import Final

GIVEN_NAMES: Final = ("First name", "Prénom", "Vorname", "Nombre", "Nome", "Voornaam")
FAMILY_NAMES: Final = (
    *("Last name", "Surname", "Nom", "Nom de famille", "Nachname", "Apellido(s)", "Cognome"),
    "Achternaam",
)
USERNAMES: Final = (
    *("Username", "Nom d'utilisateur", "Anmeldename", "Nombre de usuario", "Nome utente"),
    "Gebruikersnaam",
)
ADDRESSES: Final = (
    *("Email address", "Adresse de courriel", "E-Mail-Adresse", "Dirección de correo"),
    *("Indirizzo email", "E-mailadres"),
)
NUMBERS: Final = (
    *("ID number", "Numéro d'identification", "ID-Nummer", "Número de ID"),
    "Codice identificativo",
)
GROUPS: Final = ("Groups", "Groupes", "Gruppen", "Grupos", "Gruppi", "Groepen")
