"""What words of column names mean, in nine languages and in the shorthand of old schemas.

Phrases are written as :mod:`names` cuts them: lower case, no accents, no digits, abbreviations
written out. A longer phrase wins over a shorter one, a later one over an earlier one.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType

_PHRASES = {
    "other": """
        ship via; error message; message error; erreur message; message type; license number plate
        type; private public; user agent id; public key; contact type; mail type; nom fichier; web
        page id; note type; message id; comment count; start address; memory address
    """,
    "email": """
        e mailadres; mailadres; emailadres; correo e; mel; adres email; poczta; e mail adresse;
        mail from; mail to; epostadress; email contato;
        email; reply to; email address; email adresse; email id; mail address; electronic mail;
        mail; smtp address; from address; sender address; reply to address; reply address;
        recipient address; correo; correo electronico;
        courriel; posta elettronica; eposta; e posta; epost; endereco eletronico; mail adresse;
        emails
    """,
    "phone": """
        tel port; tel prof; tel pers; telephone number home; satphone; satfax; handynummer privat;
        telephone fixe; telephone portable; tel portable; tel perso; tel pro; tel fixe; gsm
        number; telefono fijo; telefono movil; telefono casa; telefone celular; telefone fixo;
        fone; fone fixo; fone movel; ddd; ddi; telefono cellulare; telefono fisso;
        telefoonnummer; mobiele; mobiel; mobiltelefonnummer; numer telefonu; telefonnr;
        mobilnummer; faxnummer; phone home; phone work; phone mobile; phone cell; sim number;
        beeper;
        phone; phone number; telephone; telephone number; tel; mobile; mobile number; mobile
        phone; cell; cell phone; cellular;
        fax; fax number; telefax; telefon; telefonnummer; telefoonnummer; mobil; mobiltelefon;
        handy; handynummer; rufnummer; telefono; movil;
        telefone; celular; cellulare; telefoon; komorka; whatsapp; msisdn; gsm; portable; contact
        number; home number;
        work number; office number; mobile no; emergency number; cep telefon; fixed line;
        landline; pager; telex; numero telephone; sms; fono; recapito telefonico;
        phone extension; extension; telefonu; telefoni; rodinny telefon; telefonszam; tlf
    """,
    "secret": """
        password code; email code; consumer key; consumer secret; oauth token; oauth secret; public
        private key; reset password; login token; login code; auth code; pass hash; mot passe hash;
        passwort hash; hash senha; mot secret; geheimnis; wachtwoord hash; log
        key; logkey; csrf token; auth token; bearer; webauthn; public key
        credential; otp key; security stamp; security token; feed token; api token; passwd hash;
        invite code; invitation code; recovery key; security question answer; respuesta secreta;
        reponse secrete; resposta secreta; pass key; shared secret; ldap password; smtp
        password;
        password; pass word; pass; passphrase; passcode; kennwort; passwort; contrasena; senha;
        haslo; losenord; wachtwoord; sifre; parola; clave acceso;
        mot passe; motdepasse; parola chiave; token; secret; client secret; api key; access key;
        secret key; private key; key private; validation key; validation code; validation id;
        verifier; reset id;
        developer key; auth key; authentication key; encryption key; app key; activation key;
        activation code; reset key; license key; salt; otp; otp secret;
        session key; session cookie; session id; session token; credential; nonce; access token;
        refresh token;
        authorization code; verification code; confirmation code; reset code; secret answer;
        secret question; security answer; security question; security code;
        password hash; password digest; password salt; digest password; recovery code; backup
        code; pin; pin code number; master key; signing key; remember key; remember digest; key
        secret; totp; mfa secret; login key; hash password
    """,
    "first name": """
        voornamen; nombres; prenoms; prenom usuel; nome social; firstnames; vornamen; rufname;
        imie drugie; eerste naam; jmeno; etunimi; fornavn; mid name; middlenames; second first
        name;
        first name; given name; forename; middle name; middle initial; christian name; vorname;
        rufname; prenom; nombre pila; primer nombre; segundo nombre;
        voornaam; imie; imiona; drugie imie; fornamn; tilltalsnamn; primeiro nome; second name;
        middlename; initials; voorletters; nome proprio; vornamen; roepnaam; first given name;
        second given name; preferred name; nickname given
    """,
    "last name": """
        nom usage; nom jeune; nom marital; ape; apellido uno; apellido dos; ultimo nome;
        familiennamen; ledige name; madchenname; geburtsname; prijmeni; sukunimi; etternavn;
        efternavn; birth surname; lastname two; surnames; cognome nome;
        last name; family name; surname; second surname; maiden name; nachname; familienname;
        geburtsname; nom famille; nom naissance; nom jeune fille; apellido; apellidos; primer
        apellido; segundo apellido;
        sobrenome; cognome; achternaam; nazwisko; tussenvoegsel; efternamn; soyad; soyadi; soy
        isim; lastname; family name prefix; family name suffix;
        apellido paterno; apellido materno; ultimo nome; nom usage; meisjesnaam; nazwisko rodowe
    """,
    "username": """
        uid; userid text; anmeldename; loginname; kennung; benutzerkennung; utilizador; nombre
        usuario; identifiant connexion; compte utilisateur; mastodon; discord; github
        username; gravatar email; facebook id; google id; linkedin id;
        openid; yahoo; viber; mxit; gadu gadu; domain user;
        username; user name; user login; login; login name; login id; user code; nick; nickname;
        screen name; account name; handle; benutzername; benutzer;
        usuario; nome utente; pseudo; nom utilisateur; identifiant; gebruikersnaam; uzytkownik;
        anvandarnamn; kullanici ad; nome usuario; created by; create by; cree par; locked by;
        deleted by; approved by; creado por; criado por; erstellt von; geandert von; alias;
        updated by; modified by; changed by; entered by; user identity; user slug; user nicename;
        nicename; unix user; alias user; kullanici; update user; author login; twitter handle;
        telegram; skype; icq; jabber; xmpp; msn; aim; instagram; facebook; twitter; linkedin;
        github
    """,
    "person name": """
        empfanger name; name empfanger; gegenkonto name; kontoinhaber name; inhaber;
        zahlungspflichtiger; absender; bearbeiter; mitarbeiter name; nom responsable;
        responsable legal; responsable; filiacao; nome social completo; nome responsavel; nome
        conjuge; conjuge; nome titular; nome pessoa; nombre contacto; nombre madre; nombre
        padre; nom contact; nom pere; nom mere; nome madre; nome padre; naam contact; naam
        ouder; ouder; partner name; husband name; wife name; spouse; reported by; received by;
        signed by; beneficiary; kontaktperson; uczestnik; nome contato; primary contact;
        contact; gegenkonto inhaber; full namn; bride; groom; godfather; godmother;
        first last; last first; name last first; assigned to; tecnico responsavel; laureate;
        full name; display name; contact name; person name; real name; complete name; legal name
        person; holder name; composer; poster; author name; reviewer name; nombre completo; nome
        completo;
        nom complet; vollstandiger name; persona contacto; persona contatto; ansprechpartner;
        contact person; contactpersoon; hausarzt; next kin; next kin name; emergency contact; nome
        mae; nome pai; mother name; father name; name spouse; spouse name;
        mother maiden name; guardian name; parent name; payer name; recipient name; sender name;
        ship name; ship to name; bill name; signatory; printed name; owner name; attn; attention;
        care of; cardholder; account holder; account holder name; beneficiary name; kontoinhaber;
        titular; intestatario; sort name person; card holder;
        ad soyad; volledige naam; imie nazwisko; namn; name on card; nom prenom; nome cognome;
        nombre apellidos; reply to name; from name; lead name; attended by; witness; doctor;
        physician; co author; co applicant; teacher name; full name kana
    """,
    "address": """
        apt; apto; appartement; etage; batiment; escalier; complement; lieu residence; straat nr;
        anschrift zusatz; adressierungszusatz; adresszusatz; strasse hausnummer; strasse hausnr;
        hausnr; wohnadresse; ubicazione; adresse ligne; lieu dit; lieudit; numero voie; nom
        voie; boite postale; domicilio fiscal; direccion postal; numero calle; piso; puerta; endereco completo; numero residencia; tipo logradouro; residencia; frazione; toevoeging; huisnummer toevoeging; postbus; straatnaam; adres
        zamieszkania; permanent address; current address; temporary address; present
        address; place of residence; street name; street no; unit number; block number; village
        address; po number; address extra; address supplement;
        address; street; house; flat; street address; address line; street line; street number;
        house number; house name; building number; apartment; apartment number; flat number; door
        number; strasse; str nr; hausnummer; anschrift; adresse; lieferanschrift;
        rechnungsanschrift;
        lieferadresse; rechnungsadresse; rue; voie; adresse postale; complement adresse;
        direccion; domicilio; calle; colonia; numero exterior; numero interior; endereco;
        logradouro; rua; bairro; complemento; numero casa; indirizzo; via; civico; numero civico;
        straat; huisnummer; adres; ulica; nr domu; numer domu; nr lokalu; gatuadress; gata;
        adress;
        mailing address; home address; billing address; shipping address; delivery address; postal
        address; address text; po box; postfach; apartado; nr numero; suite; mahalle; sokak; acik
        adres; neighborhood; neighbourhood; numer lokalu; address other; numero endereco; number
        numero; residence address; direccion envio
    """,
    "postal code": """
        postleit zahl; code post; zip postal code; codice postale; codice avviamento postale;
        postcod; kode pos; zipcode four; indice postal; cap residenza; postal zip;
        zip; zip code; zip postal; postal; postal code; post code; postcode; pincode; pin code;
        plz; postleitzahl; cp; code postal; codigo postal; cep; cap; kod pocztowy; postnummer;
        posta kodu; codpostal; cod postal; eircode; zip plus; zip four
    """,
    "city": """
        wohn ort; commune naissance; ville naissance; pays naissance; ciudad nacimiento; lugar
        residencia; cidade nascimento; municipio nascimento; comune nascita; comune residenza;
        geboorteplaats; miejsce urodzenia; gemeinde; gemeente; ortschaft; sted; stad naam;
        residence city; place of death; death place; sterbeort; luogo residenza; ortsteil;
        stadtteil;
        city; town; post office; city village; village; municipality; locality; ort; wohnort;
        stadt; lieferort; ville; ciudad; localidad; poblacion; cidade; municipio; citta; comune;
        localita; woonplaats; plaats; miasto; miejscowosc;
        postort; stad; sehir; birth place; place of birth; place birth; birth city; geburtsort;
        lieu naissance; lugar nacimiento; luogo nascita; local nascimento; naturalidade; city
        name; commune; hometown; home town; suburb
    """,
    "state": """
        state; state name; state code; province; state province; county; county district;
        district; region; bundesland; kanton; departement; provincia; estado; uf; provincie;
        wojewodztwo; powiat; gmina; lan; ilce; region name; regione; provincename; prefecture
    """,
    "location": "latitude; longitude; geo location; spatial location; coordinates; lat long; gps; geo; geom; geolocation; lat; lng; home location; breitengrad; langengrad; latitud; longitud; latitudine; longitudine; last location; current location; geocode; geohash; lat lng; coords",
    "company": "company; company name; employer; organization; organisation; organization name; firma; firmenname; societe; entreprise; empresa; razon social; razao social; nome fantasia; ragione sociale; azienda; bedrijf; bedrijfsnaam; foretag; sirket; raison sociale; business name; nom commercial; nombre comercial; institute",
    "url": "url; website; web site; sitoweb; homepage; home page; web; web page; site web; sitio web; webseite; blog url; profile url; link; avatar url; photo path; photo url; image url; picture url; webhook; webhook url; author url; blog; www; strona www",
    "network": "ip; ip address; remote ip; client ip; user ip; source ip; remote address; mac address; mac; ip log; login ip; host ip; remote host; adresse ip; ip hash; direccion ip; indirizzo ip; lastip; ipv; registration ip; signup ip; sign in ip; ip addr; ip created; poster ip; login host; remote addr; hostip; ip num; client address",
    "device": "user agent; browser; http user agent; agent string; device id; device token; device identifier; device name; imei; imsi; advertising id; device fingerprint; comment agent; fingerprint; browser agent; ua; push token; registration token; useragent; navigateur; navegador; device info; browser info; client info",
    "identifier": """
        passaporte; certidao casamento; certidao; cart trabalho; carteira trabalho; tit eleitor;
        external id person; candidate id; proband id; subject id person; reisepass;
        versicherten nummer; personalnummer; mitgliedsnummer; mitgliedsnr; kundennummer;
        kundennr; debitorennummer; externe mitgliedsnummer; steuer identifikation; pass nummer;
        passnummer; ine; numero ine; numero nacional; numero adherent; numero etudiant;
        numero eleve; numero client; permis conduire; permis; nis; pis; pasep; pis pasep; nis
        pis pasep; titulo eleitor; numero titulo; certidao nascimento; rg numero; cartao sus; cns; inep aluno; codigo inep; cnh numero; numero ss; numero afiliacion; numero
        seguridad social; clave elector; cuil; cuit; pasaporte; passaporto; carta identita;
        documento id; numero documento id; tessera; tessera sanitaria; burgerservice; paspoort; rijbewijs; klantnummer; lidnummer; numer
        dowodu; numer legitymacji; patient number; chart number; health id; civil id; emirates
        id; citizen id; citizen card; voter id; tax code; fiscal code; fiscal number; document
        number; census number; residence permit; visa number; license plate number; registration
        plate; drivers license; guest document; staff number; payroll number; membership id
        number; national insurance number; national insurance; ni number; id number;
        identification no;
        ssn; social security; num secu; numero secu; vat; vat id; vat number; tax number; tax
        identification; social security number; sin number; national id; national id number;
        national identifier; tax id; tax number person; personal id; personal number; identity
        number; identity card; identity document; id card; id card number; passport; passport
        number; passport no; license number; driver license;
        driver license number; driving license; license no; licence number; dni; nif; nie; cif
        nif; curp; rfc; nss; cpf; rg; cnh; cpf cnpj; cnpj cpf; codice fiscale; steuernummer;
        steuer id; sozialversicherungsnummer; versichertennummer; versicherungsnummer;
        personalausweis; ausweisnummer; pesel; bsn; burgerservicenummer; personnummer; kimlik;
        kimlik number; tc kimlik;
        numero securite sociale; nir; numero identidad; cedula; rut; employee id; employee number;
        badge number; student number; student id number; matricula; matrikelnummer; medical record
        number; mrn; insurance number; insurance policy number; policy number; personal
        identifier; patient identifier; identifier; member number; membership number; library card
        number; barcode person; id value; ident value; identification; identification number;
        documento; documento identidad; numero documento; dowod; dowod osobisty; other id; card
        id; orcid; isni; gpg key; gpgid; health card number; npi number; vat number person;
        aadhaar; pan number; steuer; nino; hin; personal code; health number; plate number;
        license plate; matriculation number; numero tessera; ipi
    """,
    "account": """
        empfanger konto; konto empfanger; gegenkonto iban; mandate; mandate reference; konto nr;
        kontonummer iban; gegenkonto; gegenkonto nummer; konto nr; konto nummer;
        mandatsreferenz; mandat id; mandate reference; mandate id; bic konto; agencia conta;
        numero agencia; pix; chave pix; clabe; numero tarjeta credito; numero compte;
        numero rib; iban number; rekening; numer rachunku; rachunek;  card
        holder number; ccnum; cc num; credit card num; masked card; masked number; card digits;
        last digits; bank details; bankverbindung; coordinate bancarie; ccv;
        iban; bank account; bank account number; account no; account number;  card
        number; credit card; credit card number; cc number; card no; cvv; cvc; card expiry; card
        expiration; credit card expiry; credit card expiry date; card expiry date; number conta;
        number konta; kontonummer;   cuenta bancaria; cuenta corriente; numero
        cuenta; conta corrente; numero conta; conta bancaria; conto corrente; numero carta;
        rekeningnummer;
        numer konta; konto bankowe; compte bancaire; rib; direct debit account; account iban; card
        last four; last four;  paypal; paypal email; payment account;  card
        fingerprint; bitcoin address; wallet address; sepa mandate; kontonr; numero iban; tarjeta;
        numero tarjeta; banka hesap
    """,
    "birth date": """
        geburtstag datum; nascita data; data nac; dt nascimento; dat nasc; date naiss; fecha
        nac; geboren; gestorben; geboorte datum; geb datum; birth dt; baptism date; date of
        baptism; taufdatum; sterbetag; fecha muerte; date mort; dia nascimento; ano nascimento;
        mes nascimento; jahrgang; anno nascita; birthyear; birthmonth; overlijdensdatum; bornon;
        dateofdeath; dateborn;
        birth date; birth day; birthday; date birth; date of birth; birth; birth year; birth
        month; birth time; dob; geburt date; geburtsdatum; geburtstag; geburt datum; date naissance; naissance;
        fecha nacimiento; nacimiento; data nascimento; nascimento; date nascimento; data nascita;
        nascita; geboortedatum;
        data urodzenia; urodzenia; fodelsedatum; fodelsedag; dogum tarihi; dogum; death date; date
        death; date of death; deceased date; death day; sterbedatum; date deces; fecha defuncion;
        data obito; deathday; born; died; year of birth; date nacimiento; death year; birthtime;
        fecha nac; begin date person; age; nac fecha
    """,
    "demographic": """ sexual preference; etnia; pueblo indigena; raza; religione; nationalitat;
        staatsburgerschaft; genero; genre personne; gendre; herkunft; ethnie; cor raca etnia;
        cidadania; nationaliteit code; burgerlijkestaat; stanu cywilnego; denomination;
        languages spoken; household income; race ethnicity; language ethnicity; biological sex;
        birth sex; deficiency; tribe; clan; marriage date; wedding date;
        gender; sex; gender identity; geschlecht; sexe; sexo; sesso; geslacht; plec; kon;
        cinsiyet; marital status; civil status; familienstand; estado civil; stato civile; etat
        civil; situation familiale; situation famille; burgerlijke staat; stan cywilny; religion;
        konfession; ethnicity; ethnic; ethnic race; race; ethnic group; nationality; nation;
        nationalite; nacionalidad; nacionalidade; nazionalita; staatsangehorigkeit; nationaliteit;
        narodowosc; citizenship; citizen; sexual orientation; political party; veteran status;
        military service; pronouns; mother tongue; raca; cor raca; religiao; estadocivil; caste;
        legal sex; ethnic code
    """,
    "health": """
        sangre; tipo sangre; tipo sanguineo; blutdruck; blood pressure;
        enfermedad; enfermedades; doenca; doencas; malattia; malattie; krankheit; krankheiten; medikamente; medicamentos; farmaci; medical notes
        text; medical info; medical information; special needs; dietary; dietary
        requirements; dietary restrictions; handicap type; behinderungsgrad; deficiencias;
        alergia; alergie; antecedents; antecedentes; regime alimentaire; infos medicales;
        sintomas; sintomi; dosage; medicine; immunization; immunizations; emergency notes;
        medical comment; health status; health condition; drug allergies; chief complaint text;
        pathology; patologia; family history; smoking; alcohol; tobacco; coffee; height patient;
        weight patient;
        diagnosis; diagnose; diagnostic; diagnostico; diagnosi; allergy; allergies; allergien;
        alergias; allergen; blood group; blood type; blutgruppe; groupe sanguin; grupo sanguineo;
        medical history; clinical history; medical notes; medical condition; disability;
        disability status; smoker; condition non coded; diagnosis non coded; reaction non coded;
        cause of death; cause death non coded; order reason non coded; additional detail;
        prescription; diagnosis text; prescription text; diagnosis code; icd code; symptoms;
        medication; medications; handicap; treatment notes; pregnancy; hiv status; vaccination;
        non coded allergen; deficiencia; behinderung
    """,
    "income": """
        salaire brut; salaire net; renda familiar; renda mensal; rendimento; ingreso mensual;
        reddito; bruttogehalt; nettogehalt; stundenlohn; monthly income; yearly income; family
        income; net pay; gross pay; hourly rate employee; base salary; salary expectation;
        brutoloon; wages; payroll amount; commission employee;
        salary; salary amount; basic salary; gross salary; net salary; wage; income; annual
        income; hourly wage; compensation; bonus; gehalt; lohn; einkommen; salario; sueldo;
        stipendio; salaire; salaris; wynagrodzenie; lon; maas; desired pay; current pay; pay rate;
        desired salary; current salary; ingresos; renda; salario amount; pensja
    """,
    "free text": """
        valor antigo; valor novo; valor anterior; valeur ancienne; alter wert; neuer wert;
        rejected reason; motivo; indicaciones; citation note;
        avis; temoignage; verwendung; intern note; internal notes; intnotes; zweck;
        verwendungszweck; zahlungsgrund; buchungstext; vermerk; hinweis kunde; bemerkungstext;
        appreciation; appreciations; avis conseil; commentaires; remarques; precisions; parecer;
        relato; evolucao; anamnese; queixa; justificativa;
        motif absence; motivo ausencia; recado; recados; dedicatoria; causale; osservazioni;
        segnalazione; toelichting; uwagi dodatkowe; komentarz; obs; observacion general;
        memo text; special requests; special request; guest request; allergy note; moderator note;
        mod note; public bio; user title; self introduction;
        note body; notes text; case notes; progress note; prayer; prayer request; sermon note;
        gebetsanliegen; comment body; post body; message text; message content; signature text;
        admin notes; admin comment; admin reply; customer comment; order comment; delivery
        instructions; comentario cliente;
        anotacao; anotacoes;
        note; notes; comment; comments; remark; remarks; bio; biography; about; about me; memo;
        feedback; message; observation; observations; bemerkung; bemerkungen; anmerkung;
        anmerkungen; kommentar; notiz; notizen; remarque; commentaire; observaciones; observacion;
        comentario; comentarios; notas; nota;
        observacao; observacoes; annotazioni; commento; opmerking; opmerkingen; uwagi; uwaga;
        notatka; anteckning; anteckningar; notlar; yorum; yorumlar; signature; question answer;
        user note; staff note; admin note; private note; public note; remark text; note text;
        comment text; status message; away message; cover letter; motivation; complaint;
        testimonial; interests; hobbies; hobby; motto; banned reason; ban reason; block reason;
        suspension reason; absence reason; leave reason; vitrine; mitteilung; nachricht; mensaje;
        mensagem; messaggio; bericht; wiadomosc; apontamento; info member; alert message; personal
        statement; lebenslauf; markeddown comment; markeddown note; occupation note; internal
        note; patron note; customer note; delivery note text; buyer note; sobre
    """,
    "image": "photo; picture; avatar; portrait; profile image; profile picture; profile photo; foto; bild; image; thumbnail; face; signature image; zdjecie; immagine; imagem; profile pic; avatar path; avatar file; mugshot; headshot; passfoto",
    "document": "resume; cv; curriculum; lebenslauf file; demographics; contact info; contact information; additional contact info; profile data; personal data; contact history; session data; receipt; billing; billing info; profile; details; detail; attachment; user data; contact details; raw info; auth data; file content; passport scan; attachments; preferences; settings; custom attributes; metadata",
}

_WEAK_TEXT = """
    html; html body; body plain; extended; headers; richiesta; informazioni aggiuntive;
    log text;  erlauterung; vorgang;
    detalle; detalles; detalhes; dettagli; texto mensagem; corps; contenu; tresc wiadomosci;
    conclusion; conclusions; plan text; objective; subjective; recommendation; recommendations;
    body; content; text; description; summary; instructions; value; answer; response; reply;
    statement; story; description text; info; information; reason; beschreibung; descripcion;
    descricao; descrizione; descrizione; opis; aciklama; beskrivning; omschrijving; texte; texto;
    testo; tekst; inhalt; contenido; conteudo; contenuto; tresc; transcript; spoiler text; cooked;
    raw; message body; motivo; motif; grund; excuse; text message; field value; new value;
    previous value; old value; chief complaint; status text; body html; body text
"""

_NAMES = "name; nom; nombre; nome; naam; nazwa; namn; ad; isim; nm; names; titular name; name text; label name; bezeichnung name"


def _cut(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(";")]


@functools.cache
def phrases() -> Mapping[tuple[str, ...], str]:
    """Return the class of every phrase; ``weak text`` and ``name`` need a table that agrees."""
    found: dict[tuple[str, ...], str] = {}
    for phrase in _cut(_WEAK_TEXT):
        found[tuple(phrase.split())] = "weak text"
    for phrase in _cut(_NAMES):
        found[tuple(phrase.split())] = "name"
    for klass, text in _PHRASES.items():
        for phrase in _cut(text):
            found.setdefault(tuple(phrase.split()), klass)
    return MappingProxyType(found)
