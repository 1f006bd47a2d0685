"""What others call our columns, in the languages that are met."""

from typing import Final

COURSE: Final = ("course", "cours", "Kurs", "curso", "corso")
PARTITION: Final = ("partition name",)
GROUP: Final = ("group name", "groupe", "Gruppe", "grupo", "gruppo", "groep")
LOGIN: Final = (
    *("login", "identifiant", "nom d'utilisateur", "Benutzername", "nombre de usuario"),
    *("nome utente", "gebruikersnaam"),
)
EMAIL: Final = (
    *("mail", "email address", "courriel", "adresse de courriel", "adresse mail", "adresse e-mail"),
    *("E-Mail-Adresse", "correo", "correo electrónico", "dirección de correo", "indirizzo email"),
    "e-mailadres",
)
NUMBER: Final = (
    *("student ID", "ID number", "numéro étudiant", "numéro d'étudiant", "Matrikelnummer"),
    *("número de estudiante", "matricola", "studentnummer"),
)
NATIONAL_NUMBER: Final = ("national ID", "INE")
FAMILY_NAME: Final = (
    *("last name", "surname", "nom", "nom de famille", "Nachname", "Familienname", "apellido"),
    *("apellidos", "cognome", "achternaam"),
)
GIVEN_NAME: Final = ("first name", "forename", "prénom", "Vorname", "nombre", "voornaam")
