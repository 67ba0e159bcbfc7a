"""Abbreviations of column names written out, and the words that say nothing."""

import functools
from collections.abc import Mapping
from types import MappingProxyType

_ABBREVIATIONS = """
    shipto=ship to; billto=bill to; emp=employee; intnotes=internal notes; eleve=eleve;
    verwendungszweck=verwendungszweck; empfaenger=empfanger; komenti=comment; priv=private;
    minit=middle initial; replyto=reply to; mailfrom=mail from; mailto=mail to;
    acc=account; acct=account; addr=address; adh=adherent; adr=address; adrs=address;
    aenam=changed by; amt=amount; anr=anrede; apel=apellido; apell=apellidos; apikey=api key;
    auth=auth; authkey=auth key; bair=bairro; bankn=bank account; bdate=birth date; bday=birth
    day; bem=bemerkung; birthdate=birth date; birthday=birth day; birthdt=birth date; bnk=bank;
    cc=credit card; cd=code; cel=mobile; cfg=config; chk=check; cif=tax id; cifnif=nif;
    civ=civilite; cmnt=comment; cmt=comment; cntct=contact; cntry=country; cod=code;
    codigopostal=postal code; codpostal=postal code; config=config; cpf=cpf; crt=created;
    crypted=encrypted; ctct=contact; ctr=counter; ctry=country; cty=city; cust=customer;
    dat=date; dateofbirth=birth date; ddn=birth date; deathdate=death date; dept=department;
    desc=description; descr=description; descrip=description; displayname=display
    name; dl=driver license; dob=dob; doc=document; dod=death date; dri=driver; drv=driver;
    dt=date; dtnasc=birth date; dx=diagnosis; ein=tax number; emailaddr=email;
    emailaddress=email address; emailid=email; emftx=payee name; eml=email; emp=employee;
    ernam=created by; ethnic=ethnic; evt=event; exp=expiry; expdate=expiry date; expir=expiry;
    expmonth=expiry; expyear=expiry; ext=extension; fam=family; familyname=family name;
    famst=marital status; fecnac=birth date; firstname=first name; firstnm=first name; fk=id;
    fl=flag; fnac=birth date; fname=first name; fnm=first name; fon=phone; forename=first name;
    fullname=full name; gbdat=birth date; gbort=birth place; geb=geburt; gebdat=birth date;
    gebdatum=birth date; gesch=gender; givenname=given name; gnd=gender; gndr=gender;
    govt=government; grp=group; hashpassword=password; hausnr=hausnummer; homepage=homepage;
    hsh=hash; idx=index; img=image; ins=insurance; ipaddr=ip address; ipaddress=ip address;
    ipadresse=ip address; kd=kunde; konfe=religion; kontonr=kontonummer; kunnr=customer id;
    lastname=last name; lat=latitude; lbl=label; lic=license; lice=license; licence=license;
    lifnr=vendor id; lname=last name; lng=longitude; lnm=last name; loginname=login name;
    logr=logradouro; lon=longitude; long=longitude; losen=losenord; mailaddr=email;
    mailadresse=email; mdp=password; mgr=manager; mi=middle initial; middlename=middle name;
    mitarb=mitarbeiter; mname=middle name; mob=mobile; movil=movil; mrtl=marital;
    ms=milliseconds; msg=message; mun=municipio; nachn=last name; naiss=naissance; nam=name;
    nasc=nascimento; nat=nationality; natio=nationality; nbr=number; nif=nif; nm=name;
    no=number; nok=next kin; nomb=nombre; nr=number; nro=number; num=number; obs=observaciones;
    observ=observaciones; ord=order; org=organization; passwd=password; passwort=password;
    perid=personal id; pernr=employee id; pers=person; pgp=gpg; ph=phone; phn=phone; phne=phone;
    phonenumber=phone number; pic=picture; placeofbirth=birth place; plz=plz; pob=poblacion;
    pol=policy; postalcode=postal code; postcode=postal code; prc=price; prd=product;
    prenom=prenom; privadr=address; privatcell=phone; privatnr=phone; prod=product;
    prov=provincia; pstlz=zip; psw=password; pswd=password; pt=patient; pw=password;
    pwd=password; qt=quantity; qtd=quantity; qty=quantity; realname=real name; regio=region;
    resp=responsavel; rmks=remarks; rmrk=remark; rufnm=first name; rx=prescription; sal=salary;
    sen=senha; seq=sequence; sess=session; sexe=sex; sg=code;
    sozialversicherungsnr=sozialversicherungsnummer; src=source; ssn=ssn; st=state; stat=status;
    stcd=tax id; stceg=tax id; steuernr=steuernummer; strae=strasse; stras=street;
    strasse=strasse; strnr=hausnummer; surname=surname; sys=system; tel=phone; telf=telefon;
    telfx=telefax; telno=phone; telnr=telefon; temp=temporary; tfn=telefono; tfno=telefono;
    tin=tax id; tlf=phone; tlfno=telefono; tmp=temporary; tok=token; tot=total; tp=type;
    trk=tracking; ts=timestamp; txt=text; uname=username; upd=updated; useragent=user agent;
    username=username; usernm=username; usr=user; usrname=username; usu=usuario; val=value;
    vers=version; versichertennr=versichertennummer; vl=value; vname=first name; vndr=vendor;
    vorna=first name; website=website; zipcode=zip code
"""

_SHORTHAND = """
    al c_ chr col da das de della den der des die do ds du el fld hr hs ln no_ nvarchar nvc of
    str sz t tbl the txt v vc x
"""
"""Type and filler words that say nothing where another word follows."""

_UNMISTAKABLE = """
    email telefon phone password passwort kennwort vorname nachname anschrift adresse address
    strasse
"""
"""Words that are never a part of another by chance."""

SHORTHAND = frozenset(_SHORTHAND.split())
UNMISTAKABLE = tuple(_UNMISTAKABLE.split())


@functools.cache
def abbreviations() -> Mapping[str, tuple[str, ...]]:
    """Return what each abbreviation stands for."""
    pairs = (" ".join(entry.split()).partition("=") for entry in _ABBREVIATIONS.split(";"))
    return MappingProxyType({short: tuple(words.split()) for short, _, words in pairs})
