"""Words that invented values are made of; names by hand, from many places."""


def _tuple(words: str) -> tuple[str, ...]:
    return tuple(words.split())


FIRST = _tuple("""
    Aaliyah Abebe Adaeze Agnieszka Aiko Alasdair Aminata Anselm Aoife Apolonia Ayşegül Balthasar
    Beatriz Bogdan Caoimhe Chidi Chiara Concha Dagmar Daria Delphine Dimitra Edeltraud Efua Eilidh
    Emre Enzo Esperanza Fadumo Farid Fleur Friedhelm Gauthier Giada Guadalupe Gudrun Hamza Hannelore
    Heike Hyun-woo Ingeborg Iñaki Ioana Isolde Jadwiga Jaroslav Joaquim Jürgen Kaveh Keiko Kofi
    Krzysztof Lakshmi Leocadia Liesbeth Ludmila Maëlle Mahmoud Mareike Marie-Claire Mehmet Mercè
    Mirela Nadège Ngozi Nilüfer Noor Oksana Olamide Ottavia Paraskevi Pilar Priyanka Quentin Radovan
    Reinhild Rosalind Sadio Saoirse Siobhan Søren Sunniva Tadeusz Tendai Thandiwe Theodora Ulrike
    Valentina Wanjiru Wiebke Xiomara Yaw Yevgenia Yusuf Zbigniew Zeynep John Maria Anna Peter David
    Sarah Thomas Julia Ana José Laura Luca Sophie Michael
    """)
LAST = _tuple(
    """
    Abdulkadir Achterberg Adeyemi Aguirre Akintola Alcántara Andrzejewski Baumgärtner Beauchamp
    Bellucci Bielefeldt Bouchard Brzęczyszczykiewicz Cavalcanti Chukwu Colquhoun Dąbrowska
    Delacroix Dietrichsen Echeverría Eriksen Etxeberria Falkenhagen Ferrandini Fitzgerald Gainsborough
    Ghorbani Gjorgievski Grünwald Haugland Hernández Hoekstra Ibragimov Ishikawa Jankowiak Jørgensen
    Kafantaris Karamanlis Keßler Kipchoge Kowalczyk Kwiatkowski Lamprecht Lindqvist Llewellyn
    Mackintosh Mbeki McAllister Mendonça Moreau-Petit Mukherjee Nakamura Niedermeyer Novotná
    O'Callaghan Obafemi Öztürk Papadopoulou Pfeiffer Quiroga Rabinovich Rasmussen Rinaldi Rybakov
    Sørensen Santillán Schaftenaar Schwarzenbach Sepúlveda Stępień Szczepański Takahashi Teixeira
    Tjandra Tremblay Uchenna Vandenberghe Velázquez Vieira Wadsworth Weißmüller Wojciechowska
    Yamamoto Yılmaz Zamboni Zieliński Smith Müller García Rossi Martin Silva Jansen Kowalski Brown
    Nguyen Lee Singh Schmidt Lopez van_den_Berg de_la_Cruz
    """.replace("_", "-")
)
CODES = _tuple("""
    new open closed pending active inactive draft done sent failed queued paid void archived
    standard internal external daily weekly monthly auto manual low medium high urgent basic default
    left right top bottom en_GB de_DE fr_FR EUR USD kg cm public private text number date
    """)
LABELS = tuple(
    """
    Report;Overview;Main menu;Standard;Annual review;Opening hours;Invoice layout;Group A;Sports;
    Mathematics;Chemistry;Delivery;Newsletter;Summer season;Accounting;Reception;Level 2;Room;
    Front desk;Bank transfer;Cash;Express;Warehouse;Maintenance;Music;Library;Committee;Choir;
    Youth;Winter term;History;Geography;Import;Export;Public holiday;Ground floor;Archive;Basic plan;
    Premium plan;First aid;Fire drill;Parking;Kitchen;Cleaning;Inventory;Safety;Statistics;Header
    """.replace("\n", "").split(";")
)
LABELS = tuple(label.strip() for label in LABELS)
PRODUCTS = tuple(
    part.strip()
    for part in """
    Oak table;Steel bolt M8;Billy shelf;Blue pen;Espresso 250 g;Winter jacket;Charlotte sofa;
    Router X200;Garden hose;Red paint 5 l;Desk lamp Oslo;Paracetamol 500 mg;Oliver chair;USB cable;
    Rye bread;Olive oil;Mountain bike 29;Tent Nevada;Notebook A5;Office suite;Ticket adult;Cap;
    Vienna roast;Rosemary;Victoria cake;Jack socket;Basil;Screwdriver;Ironing board;Whisky 12y;
    Mozart CD;Battery AA;Keyboard;Season pass;Double room;Towel;Rice 1 kg;Sunflower seeds;Bracket
    """.replace("\n", "").split(";")
)
PLACES = tuple(
    part.strip()
    for part in """
    Springfield;Neustadt;Saint-Denis;Villanueva;Belo Monte;Porto Velho;Borgo San Lorenzo;Zwolle;
    Gdynia;Uppsala;Izmir;Dunmore;Kirchdorf;Las Rozas;Campinas;Mira;Sankt Augustin;Bad Aibling;
    Lille;Toledo;Parma;Ede;Radom;Lund;Bursa;Perth;Kent;Leeds;Hof;Weimar;Lorca;Braga;Asti;Breda;
    North Rhine;Bavaria;Andalusia;Lombardy;Utrecht;Masovia;Texas;Ohio;Ontario;Bahia;Minas Gerais
    """.replace("\n", "").split(";")
)
STREETS = tuple(
    part.strip()
    for part in """
    Oak Street;Mill Lane;Hauptstraße;Am Bahnhof;Lindenweg;Kirchplatz;Rue de la Paix;Chemin Vert;
    Calle Mayor;Avenida del Sol;Rua das Flores;Travessa Nova;Via Garibaldi;Corso Italia;Dorpsstraat;
    Kerkweg;ul. Polna;Storgatan;Park Road;High Street;Station Rd;Im Winkel;Plaza de España;
    Largo do Carmo;Bloco B ap;Unit;Flat
    """.replace("\n", "").split(";")
)
IMPERSONAL = {
    "en": (
        "weight in grams, sold in packs of",
        "suitable for indoor and outdoor use, article",
        "applies to all orders above",
        "the export runs every night and keeps copies for days:",
        "made of steel, delivered flat, size",
        "terms and conditions, paragraph",
        "shown on the start page below section",
    ),
    "de": (
        "Gewicht in Gramm, Packung zu",
        "für innen und außen geeignet, Artikel",
        "gilt für alle Bestellungen ab",
        "der Export läuft jede Nacht, Aufbewahrung in Tagen:",
        "aus Stahl, zerlegt geliefert, Größe",
    ),
    "fr": (
        "poids en grammes, vendu par",
        "pour l'intérieur et l'extérieur, article",
        "valable pour toute commande de plus de",
        "en acier, livré à plat, taille",
    ),
    "es": (
        "peso en gramos, se vende por",
        "para interior y exterior, artículo",
        "válido para pedidos de más de",
        "de acero, tamaño",
    ),
    "pt": (
        "peso em gramas, vendido em pacotes de",
        "para uso interno e externo, artigo",
        "válido para pedidos acima de",
        "feito de aço, tamanho",
    ),
    "it": (
        "peso in grammi, venduto in confezioni da",
        "per interni ed esterni, articolo",
        "valido per ordini oltre",
        "in acciaio, misura",
    ),
}
PERSONAL = {
    "en": (
        "Asked to be called back next week, was not happy with the service.",
        "Came with her daughter and needs help with the stairs.",
        "I don't think this is right, could you please check it again?",
        "Paid in cash, wants the receipt by post.",
        "Thanks a lot, that solved it for me!",
        "Has been absent since Monday because of an operation.",
        "We talked about the contract; he will decide on Friday.",
    ),
    "de": (
        "Bittet um Rückruf nächste Woche, war mit dem Service unzufrieden.",
        "Kam mit ihrer Tochter und braucht Hilfe an der Treppe.",
        "Ich glaube, das stimmt nicht, könnten Sie das noch einmal prüfen?",
        "Zahlt bar, möchte die Quittung per Post.",
        "Vielen Dank, das hat mir geholfen!",
        "Fehlt seit Montag wegen einer Operation.",
    ),
    "fr": (
        "Demande à être rappelé la semaine prochaine, mécontent du service.",
        "Elle est venue avec sa fille et a besoin d'aide.",
        "Je pense que ce n'est pas juste, pouvez-vous vérifier ?",
        "Absent depuis lundi à cause d'une opération.",
        "Merci beaucoup, c'est réglé pour moi !",
    ),
    "es": (
        "Pide que le llamen la semana que viene, no quedó contento.",
        "Vino con su hija y necesita ayuda con la escalera.",
        "Creo que esto no es correcto, ¿lo puede revisar?",
        "Falta desde el lunes por una operación.",
    ),
    "pt": (
        "Pediu para ligar na próxima semana, não ficou satisfeito.",
        "Veio com a filha e precisa de ajuda na escada.",
        "Acho que não está certo, pode verificar?",
        "Ausente desde segunda por causa de uma cirurgia.",
    ),
    "it": (
        "Chiede di essere richiamato la prossima settimana, non era contento.",
        "È venuta con la figlia e ha bisogno di aiuto.",
        "Penso che non sia giusto, può controllare?",
        "Assente da lunedì per un'operazione.",
    ),
}
MENTIONS = {
    "en": (
        "Spoke to {first} {last}.",
        "Please ask Mrs {last}.",
        "Reach him at {phone}.",
        "Write to {email}.",
        "{first} called again.",
        "Regards, {first} {last}",
    ),
    "de": (
        "Mit {first} {last} gesprochen.",
        "Bitte Frau {last} fragen.",
        "Erreichbar unter {phone}.",
        "An {email} schreiben.",
        "Viele Grüße, {first} {last}",
    ),
    "fr": (
        "Vu avec {first} {last}.",
        "Demander à Mme {last}.",
        "Joignable au {phone}.",
        "Écrire à {email}.",
    ),
    "es": (
        "Hablé con {first} {last}.",
        "Preguntar a la Sra. {last}.",
        "Teléfono {phone}.",
        "Escribir a {email}.",
    ),
    "pt": ("Falei com {first} {last}.", "Perguntar a {first}.", "Ligar para {phone}.", "{email}"),
    "it": ("Parlato con {first} {last}.", "Chiedere a {first}.", "Tel. {phone}.", "{email}"),
}
