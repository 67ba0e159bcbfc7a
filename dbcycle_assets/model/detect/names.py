"""Cutting names into words: camelCase, snake_case, joined words, prefixes and abbreviations."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from .lexicon import CATALOGUE, FLAGS, NEUTRAL, ORGANISATIONS, PERSONS, RECORDS, THINGS, phrases

_ABBREVIATIONS = {
    entry.split("=")[0].strip(): entry.split("=")[1].split()
    for entry in ["\n    nm=name", " nam=name", " fnm=first name", " fname=first name", " firstnm=first name", " lnm=last name", " lname=last name", " mname=middle name", " mi=middle initial", " uname=username", " usrname=username", " usernm=username", "\n    addr=address", " adr=address", " adrs=address", " ph=phone", " phn=phone", " phne=phone", " telf=telefon", " telnr=telefon", " telfx=telefax", " tlf=phone", " telno=phone", " fon=phone", " mob=mobile", " eml=email", " mailaddr=email", " emailaddr=email\n    ", " pwd=password", " psw=password", " pw=password", " passwd=password", " pswd=password", " passwort=password", " mdp=password", " crypted=encrypted", " usr=user", " ctry=country", " cntry=country\n    ", " acct=account", " acc=account", " nbr=number", " nr=number", " nro=number", " num=number", " lic=license", " lice=license", " licence=license", " drv=driver", " dri=driver", " cty=city", " gndr=gender", " mrtl=marital", " sal=salary", " amt=amount", " bnk=bank", " cc=credit card\n    ", " txt=text", " rmrk=remark", " rmks=remarks", " desc=description", " descr=description", " descrip=description", " dt=date", " dat=date", " ts=timestamp", " cd=code", " tok=token", " sess=session", " lng=longitude", " lon=longitude", " long=longitude", " lat=latitude\n    ", " pt=patient", " nok=next kin", " dx=diagnosis", " rx=prescription", " ins=insurance", " pol=policy", " exp=expiry", " emp=employee", " cust=customer", " dept=department", " mgr=manager", " ord=order", " prod=product", " prd=product", " vndr=vendor", " stat=status", " dod=death date", " qty=quantity\n    ", " bday=birth day", " bdate=birth date", " birthdate=birth date", " birthday=birth day", " birthdt=birth date", " deathdate=death date", " ddn=birth date", " gbdat=birth date", " gbort=birth place", " dtnasc=birth date", " nasc=nascimento", " dob=dob", " geb=geburt", " gebdat=birth date", " gebdatum=birth date\n    ", " st=state", " stcd=tax id", " stceg=tax id", " perid=personal id", " sexe=sex", " gesch=gender", " natio=nationality", " famst=marital status", " konfe=religion", " bankn=bank account", " emftx=payee name", " ernam=created by", " aenam=changed by", " vorna=first name", " vname=first name", " nachn=last name", " rufnm=first name\n    ", " stras=street", " strasse=strasse", " strae=strasse", " pstlz=zip", " regio=region", " ipaddr=ip address", " ipaddress=ip address", " ipadresse=ip address", " useragent=user agent", " vers=version", " kunnr=customer id", " lifnr=vendor id", " pernr=employee id", " postcode=postal code", " postalcode=postal code", " codpostal=postal code", " codigopostal=postal code", " zipcode=zip code\n    ", " emailaddress=email address", " dateofbirth=birth date", " placeofbirth=birth place", " fam=family", " mailadresse=email", " emailid=email", " phonenumber=phone number", " firstname=first name", " lastname=last name", " middlename=middle name", " fullname=full name", " surname=surname", " forename=first name", " givenname=given name", " familyname=family name", " username=username", " loginname=login name", " displayname=display name", " realname=real name\n    ", " apikey=api key", " authkey=auth key", " website=website", " homepage=homepage", " hashpassword=password", " nomb=nombre", " apel=apellido", " apell=apellidos", " dir=direccion", " tfno=telefono", " tfn=telefono", " tlfno=telefono", " movil=movil", " obs=observaciones", " observ=observaciones", " fnac=birth date", " fecnac=birth date", " cif=tax id", " cifnif=nif", " nif=nif", " pob=poblacion", " prov=provincia\n    ", " vl=value", " fl=flag", " sg=code", " tp=type", " qt=quantity", " qtd=quantity", " logr=logradouro", " bair=bairro", " mun=municipio", " resp=responsavel", " usu=usuario", " sen=senha", " cpf=cpf", " cod=code", " tel=phone", " cel=mobile", " gnd=gender", " nat=nationality", " ssn=ssn", " prenom=prenom", " adh=adherent", " anr=anrede\n    ", " sozialversicherungsnr=sozialversicherungsnummer", " versichertennr=versichertennummer", " kontonr=kontonummer", " hausnr=hausnummer", " strnr=hausnummer", " steuernr=steuernummer", " mitarb=mitarbeiter", " kd=kunde", " bem=bemerkung", " plz=plz", " losen=losenord", " no=number", " fk=id", " pers=person", " govt=government", " org=organization", " grp=group", " ctct=contact", " cntct=contact", " chk=check", " dl=driver license", " tin=tax id", " ein=tax number", " ethnic=ethnic", " doc=document", " img=image", " pic=picture", " cmt=comment", " cmnt=comment", " msg=message", " auth=auth", " config=config", " cfg=config", " val=value", " lbl=label", " seq=sequence", " idx=index", " ctr=counter", " tot=total", " prc=price", " evt=event", " trk=tracking", " upd=updated", " crt=created", " src=source", " ms=milliseconds", " hsh=hash", " ext=extension", " sys=system", " temp=temporary", " tmp=temporary", " pgp=gpg", " expir=expiry", " expdate=expiry date", " expmonth=expiry", " expyear=expiry", " naiss=naissance", " civ=civilite\n    "]
    if "=" in entry
}
_SHORTHAND = frozenset(
    ["vc", "txt", "str", "fld", "col", "chr", "nvc", "nvarchar", "sz", "tbl", "the", "of", "de", "da", "do", "du", "des", "della", "der", "den", "das", "die", "el", "al", "no_", "c_", "x", "v", "ds", "t", "hr", "hs", "ln"]
)
"""Type and filler words that say nothing where another word follows."""

_UNMISTAKABLE = ("email", "telefon", "phone", "password", "passwort", "kennwort", "vorname", "nachname", "anschrift", "adresse", "address", "strasse")
_SHORTEST_PART = 3
_SHORTEST_JOINED = 6
_MOST_PARTS = 3
_PREFIX_SHARE = 0.6
_FEWEST_COLUMNS = 4
_LONGEST_PHRASE = 4


def plain(text: str) -> str:
    """Return a text in lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ı", "i"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@functools.cache
def _vocabulary() -> frozenset[str]:
    words = {word for phrase in phrases() for word in phrase}
    words |= PERSONS | ORGANISATIONS | THINGS | RECORDS | CATALOGUE | NEUTRAL | FLAGS
    words |= set(_ABBREVIATIONS)
    return frozenset(words)


@functools.cache
def _parts(word: str) -> tuple[str, ...]:
    """Return the known words that a joined word is made of, or the word."""
    if word in _vocabulary() or len(word) < _SHORTEST_JOINED:
        return (word,)
    if word.endswith("s") and word[:-1] in _vocabulary():
        return (word[:-1],)
    # German spelt without umlauts, and its short numbers: `staatsangehoerigkeit`, `handynr`.
    flat = word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    if flat in _vocabulary():
        return (flat,)
    if word.endswith("nr") and word[:-2] in _vocabulary():
        return (word[:-2], "number")
    return _split(word, _MOST_PARTS) or _around(word)


def _around(word: str) -> tuple[str, ...]:
    """Return a word as an unmistakable one and the rest, or as it is: `emailpro`, `altphone`."""
    for known in _UNMISTAKABLE:
        if word.startswith(known):
            return (known, word[len(known) :])
        if word.endswith(known):
            return (word[: -len(known)], known)
    return (word,)


def _split(word: str, most: int) -> tuple[str, ...] | None:
    if len(word) >= _SHORTEST_PART and word in _vocabulary():
        return (word,)
    if most == 1:
        return None
    for end in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
        head = word[:end]
        base = head[:-1] if head.endswith("s") and head not in _vocabulary() else head
        if base in _vocabulary() and (rest := _split(word[end:], most - 1)):
            return (base, *rest)
    return None


def raw_words(name: str) -> tuple[str, ...]:
    """Return the words of a name as they stand, lower case and without accents and digits."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[^\W\d_]+", plain(spaced).casefold()))


@functools.cache
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, joined words apart and abbreviations written out."""
    found: list[str] = []
    for raw in raw_words(name):
        for part in _parts(raw):
            found += _ABBREVIATIONS.get(part, [part])
    while len(found) > 1 and found[0] in _SHORTHAND:
        del found[0]
    return tuple(word for word in found if word not in _SHORTHAND) or tuple(found)


@functools.cache
def singular(word: str) -> str:
    """Return an English plural's singular, other words as they are."""
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def any_of(words: Iterable[str], kinds: frozenset[str]) -> bool:
    """Tell whether one of the words, or its singular, is of a kind."""
    return any(word in kinds or singular(word) in kinds for word in words)


def affixes(names: Iterable[str]) -> frozenset[str]:
    """Return the words that most columns of a table begin or end with: they say nothing."""
    cut = [words for name in names if len(words := raw_words(name)) > 1]
    total = sum(1 for _ in cut)
    if total < _FEWEST_COLUMNS:
        return frozenset()
    first, last = Counter(w[0] for w in cut), Counter(w[-1] for w in cut)
    return frozenset(
        word
        for tally in (first, last)
        for word, times in tally.items()
        if times >= _PREFIX_SHARE * total
    )


def matches(words: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Return the known phrases in some words as (start, end, class), left to right."""
    known = phrases()
    found: list[tuple[int, int, str]] = []
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST_PHRASE), start, -1):
            phrase = words[start:end]
            klass = known.get(phrase) or known.get((*phrase[:-1], singular(phrase[-1])))
            if klass:
                found.append((start, end, klass))
                start = end
                break
        else:
            start += 1
    return found
