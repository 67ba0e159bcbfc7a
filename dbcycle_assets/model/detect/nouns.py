"""Words of names that say what a table holds, or what a column is about instead."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PERSONS = """
    investigator autorizado coordenador coordinador examiner scientist curator juror
    principal headmaster headteacher rektor schulleiter declarant emetteur proviseur prof profs
    temoin elternteil eltern vater mutter kinder
    receiver photographer reporter assignee assigner approver responder commenter commentator
    uploader creator submitter translator musician pastor priest deacon godparent godfather
    godmother sponsor mentor coach referee athlete nanny landlord lodger traveller traveler client
    cashier accountant receptionist technician inspector officer signer signatory cosigner debitor
    kreditor empfanger absender inhaber eigentumer mieter vermieter vertreter betreuer trainer
    zahler schuldner glaubiger spender leiter verwalter bearbeiter ersteller besitzer versicherter
    proprietaire locataire redacteur responsable gestionnaire destinataire expediteur titulaire
    benevoles eleves professeur professeurs enseignants patiente abonne lecteur donateur tuteur
    resp conjoint signataire demandeur intervenant
    huesped huespedes inquilinos estudiante estudiantes docente docentes maestro tutores familiar
    ciudadano ciudadanos votante medico enfermero apoderado representante solicitante autores
    hospede hospedes inquilinos docente medico cidadao cidadaos paroquiano dizimista responsaveis
    cuidador motorista passageiro solicitante remetente
    cittadino ospite ospiti alunni genitore genitori medico assistito donatore volontario iscritto
    iscritti docenti proprietario conduttore
    huurder eigenaar gast ouder ouders student studenten vrijwilliger afzender ontvanger bewoner
    wlasciciel najemca rodzic gosc autor wolontariusz
    user customer client patient employee staff member person people contact author student
    teacher candidate guest lead subscriber donor actor player doctor physician driver agent owner
    tenant
    passenger attendee participant borrower patron beneficiary recipient sender payer guardian
    parent child children dependent dependant spouse relative admin administrator applicant
    consumer
    visitor lawyer nurse worker operator instructor tutor pupil seller buyer reviewer follower
    friend citizen resident householder insured claimant voter volunteer trainee manager
    supervisor individual human
    account accountholder performer director editor contributor writer poster voter prospect
    holder mother father salesperson moderator organizer requestor requester caller callee
    addressee occupant proprietor administrador administratore titular destinatario remitente
    proprietario propietario occupante inquilino
    reseller freelancer recruiter practitioner payee debtor member persons
    kunde kunden mitarbeiter benutzer nutzer patient patienten personal person personen mitglied
    mitglieder schuler lehrer arzt kontakt kontakte teilnehmer bewerber autor autoren adressat
    ansprechpartner gast dozent studierende
    utilisateur client employe adherent adherents membre personne eleve enseignant salarie contact
    auteur benevole beneficiaire parent participant
    usuario cliente empleado persona personas alumno profesor paciente contacto socio autor
    trabajador agente agentes vendedor tutor padre madre
    pessoa usuario cliente funcionario aluno professor paciente contato socio servidor mae
    responsavel colaborador
    utente utenti cliente clienti dipendente dipendenti persona persone anagrafica anagrafiche
    referente referenti paziente alunno socio tecnico
    klant klanten gebruiker werknemer medewerker patient persoon leerling docent contactpersoon
    lid leden
    klient klienci uzytkownik pracownik pacjent osoba uczen nauczyciel kontrahent
    kund kunder anvandare anstalld person medlem elev larare
    musteri musteriler kullanici calisan hasta kisi ogrenci ogretmen uye personel
"""

_ORGANISATIONS = """
    dipartimento biblioteca bibliotheque bibliothek centro centros center centre centrum zentrum
    instituto institut consultorio praxis instituicao institucion entidad entidade
    finanzamt amt behorde gemeinde mairie ayuntamiento prefeitura comune ministry authority court
    insurer insurance versicherung krankenkasse assurance seguradora assicurazione kirche parish
    church eglise diocese college universitat universite universidad university campus agencia
    company companies enterprise division divisions supplier vendor organization organisation
    store warehouse location branch department office site bank school hospital shop publisher
    manufacturer carrier shipper brand clinic factory
    institution university library team group facility airport station hotel restaurant club
    foundation institute merchant label venue building depot district team league agency
    lieferant lieferanten firma abteilung filiale standort hersteller lager fournisseur entreprise
    societe magasin entrepot agence etablissement proveedor proveedores empresa empresas almacen
    almacenes tienda sucursal departamento fabricante agenciastrans
    fornecedor empresa loja filial escola instituicao fornitore fornitori azienda sede sedi
    magazzino negozio banca leverancier bedrijf winkel dostawca firma sklep leverantor foretag
    tedarikci sirket magaza emitente

"""

_THINGS = """
    pais paises pays land lander paese paesi bairro localidade device netdevice node server room
    resource equipment asset
    variant
    municipio municipality comune commune ville stadt ort cidade ciudad provincia uf estado
    postcode product produkt producto produto prodotto item article artikel articulo film movie
    track album song genre category country city state language currency zip zipcode region
    territory place area
"""

_COMMUNICATION = """
    content
    message comment post mail email note ticket chat activity interview thread reply conversation
    review feedback sms letter correspondence inbox mailing discussion direct private draft forum
    blog wiki guestbook nachricht mensagem anotacao
"""

_RECORDS = """
    factura facturas fattura fatture facture rechnung angebot lieferschein buchung zahlung
    lastschrift uberweisung spende anmeldung termin albaran presupuesto cita reserva venta pago
    matricula atendimento consulta agendamento pagamento prenotazione visita iscrizione
    reservering afspraak bestelling factuur betaling absence retard sanction inscription rendez
    punition incident prescricao occurrence ocorrencia loan checkin checkout contribution pledge
    gift deposit transfer umsatz
    homework
    log entry call meeting appointment visit encounter notification order invoice payment
    booking reservation sale rental transaction request complaint case incident report submission
    registration application attendance leave session history audit event timesheet refund return
    quote purchase delivery shipment donation loan assessment diagnosis observation allergy
    prescription hold circ circulation archive bestellung auftrag commande pedido fattura ordine
    os venda
    topic story tracker
"""

_CATALOGUE = """
    matiere fach facher materia asignatura disciplina curso corso umsatztyp
    collection
    type category template config configuration setting settings option role permission privilege
    product item form field filter plugin sla queue schedule list page faq article status state
    department team group translation concept
    language country currency unit tag label attribute property property definition genre film
    movie track album brand module menu screen report format rule step workflow job skill license
    membership task job title grade level class method rate tax
    plan location place territory region price scheme source reason priority theme style layout
    model version migration schema option canned content series work release recording instrument
    medium area standard frequency shift search kpi column preference pref text statut titre typ
    art rodzaj tipo stato kategorie categoria categorie rubrique modele modelo param parameter
    parametro impostazioni gruppo grupo datatype datapoint program drug vacancy education course
    subject library catalog catalogue
"""

_QUALIFIERS = """
    privat priv dienst dienstlich home work office mobile business casa trabalho lavoro ufficio
    perso pro bureau domicile emergency primary secondary alternate alt other main two factor auth
    failed last current new old
"""

_NEUTRAL = """
    branch
    id ids uuid guid count total number type status flag at on enabled verified sent template
    format size position order level mode version hash checksum key code
    date time timestamp days hours minutes seconds length width height weight min max limit amount
    price cost rate percent ratio score rank index sequence sort
    locale language lang currency country timezone theme color colour confirmed valid required
    visible optional allowed
    expires expiry expiration attempts failed strength policy setting option notification
    notifications subscription frequency
    preference category group role source target kind class method provider scope unit label icon
    mime extension encoding charset server port host protocol encrypted encryption
    title subject slug tag column table field schema module action command event state estimated
    preferred handler regex pattern validator queue domain
    codigo tipo estado fecha cantidad numero data typ art anzahl nummer datum montant quantite
    quantita quantidade valor precio importe taxa prioridad
    confirmation required verification reset change changed rounds digits algorithm prefix suffix
    separator placeholder header footer style css
    uri path dir directory component meta approved filtered pipeline display settings allow show
    hide notify public private permission access plural model reference variable tarihi sum
    counter
"""
"""Words after a match that make the column about something else (``email_template_id``)."""

_FLAGS = """
    is has can show hide allow use need require enable disable num count total min max no send
    sent last next notify allowed default should must want force accept receive opt auto
    default enabled disabled number
"""
"""Words before a match that make a number or a flag of it (``num_comments``)."""

_NUMBERLESS = """
    periode matiere classe salle groupe produit article fichier fach klasse raum gruppe datei
    materia asignatura grupo archivo producto disciplina turma arquivo produto corso gruppo
    prodotto stage leverancier vak groep bestand module champ etape etat categorie
    file host table column field module class function plugin package template theme brand product
    category group role type event tag domain server database schema property attribute option job
    task queue report form list event service app application bank
    method provider index key page menu screen skill series folder path route index branch device
    city state country region street currency language unit model item variable class index short
    long original stored script service store
    project course subject department team school course program location place
"""
"""Words before `name` that make it the name of a thing."""


QUALIFIERS = frozenset(_QUALIFIERS.split())
"""Words that say which of several, and not what."""

PERSONS = frozenset(_PERSONS.split()) - {"account", "next", "kin"}
THINGS = frozenset(_THINGS.split())
"""Places and goods: what stands in their tables is nobody's."""

ORGANISATIONS = frozenset(_ORGANISATIONS.split())
COMMUNICATION = frozenset(_COMMUNICATION.split())
RECORDS = frozenset(_RECORDS.split()) | COMMUNICATION
CATALOGUE = frozenset(_CATALOGUE.split())
NEUTRAL = frozenset(_NEUTRAL.split())
FLAGS = frozenset(_FLAGS.split())
NUMBERLESS = frozenset(_NUMBERLESS.split())

SURE_IDENTIFIERS = _set("""
    bsn cpf curp dni kimlik national passport personnummer pesel security ssn
    """)

FLAG_TEXT = _set("""
    tipo tipos art
    statut statuts status type typ public erreur error change gets
    allow can count default error has is max min num number send show total welcome
    """)

SURE_DEMOGRAPHIC = _set("""
    ethnic ethnicity gender geschlecht marital sesso sex sexo
    """)

UNCLEAR = _set("""
    account agent agente client editor holder human lead manager member operator performer
    """)
"""Persons that columns are often named for without holding one."""

DESCRIPTIONS = _set("""
    aciklama beschreibung descricao descripcion description descrizione info opis text
    """)

TOLD = _set("""
    answer instructions statement summary
    """)

BOOKINGS = _set("""
    appointment booking calendar reservation
    """)

CHANGES = _set("""
    auditoria historico aenderung
    audit change history log revision
    """)

PIECES = _set("""
    body content item part text
    """)

MAIL = _set("""
    email mail
    """)

ENVELOPE = _set("""
    a an bcc cc da de from para to von
    """)

SHOWN = _set("""
    complet completo complete full
    display short sort
    """)

SESSION_ID = _set("""
    uuid hash
    id key session sid
    """)

SESSION_DATA = _set("""
    binary content data payload val value vdata
    """)

STORES = _set("""
    attribute detail meta profile usermeta
    """)

BOOKKEEPING = _set("""
    changed created creator deleted edited entered lead manager modified owner retired updated
    voided
    """)
"""Words of references to whoever keeps a row, not to whom it is about."""

PLACED = _set("""
    address location
    """)

TECHNICAL = _set("""
    api oauth oidc openid saml sso webhook
    """)
"""Words of tables whose clients and consumers are programs."""

FILLERS = _set("""
    name data detail gen general info information master record
    """)

NETWORKS = frozenset({"facebook", "instagram", "linkedin", "telegram", "twitter", "skype"})
"""Where organisations have names of their own."""

NUMBERED = frozenset({"id", "number", "code", "no"})

KEYS = frozenset({"code", "hash", "key", "selector", "uuid", "validator"})
ENTRY = frozenset(
    {"invitation", "invite", "password", "passwd", "reset", "tmplink", "verification"}
)
"""Tables whose keys let their holder in."""

SOUGHT = frozenset({"search", "sort", "phonetic", "normalized", "lower", "upper", "clean", "old"})
"""Words of a name written once more."""

MEDICAL = _set(
    "allergy clinica clinical health medica medical medizinische sante saude vaccination"
)
"""Tables in which the bare type or title of an entry is a fact of somebody's health."""

PAYROLL = frozenset({"payroll", "salary", "gehalt", "salario", "wage"})

BY = frozenset({"by", "par", "por", "von", "door", "przez"})

PICTURED = frozenset({"avatar", "foto", "photo", "picture"})
PATHS = frozenset({"path", "caminho", "chemin", "file", "pfad", "ruta", "url"})
REFERRING = frozenset({"ref", "fk", "idfk"})
