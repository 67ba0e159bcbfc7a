/* The functions of contrib/uuid-ossp 1.1 without its C library, for the embedded server. */

CREATE FUNCTION uuid_nil() RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE
RETURN '00000000-0000-0000-0000-000000000000'::uuid;

CREATE FUNCTION uuid_ns_dns() RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE
RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_url() RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE
RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_oid() RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE
RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_x500() RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE
RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

-- Version 1 from the clock (100 ns since 1582), a random sequence and a random multicast node.
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
VOLATILE STRICT LANGUAGE plpgsql PARALLEL SAFE
SET search_path = pg_catalog AS $$
DECLARE
    ticks text := lpad(to_hex(((extract(epoch FROM clock_timestamp()) + 12219292800) * 10000000
                               + floor(random() * 10)::int)::bigint), 15, '0');
    noise text := replace(gen_random_uuid()::text, '-', '');
BEGIN
    RETURN (substr(ticks, 8, 8) || substr(ticks, 4, 4) || '1' || substr(ticks, 1, 3)
            || to_hex(8 + floor(random() * 4)::int) || substr(noise, 1, 3)
            || '03' || substr(noise, 21, 10))::uuid;
END $$;

CREATE FUNCTION uuid_generate_v1() RETURNS uuid
VOLATILE STRICT LANGUAGE plpgsql PARALLEL SAFE
SET search_path = pg_catalog AS $$
DECLARE
    ticks text := lpad(to_hex(((extract(epoch FROM clock_timestamp()) + 12219292800) * 10000000
                               + floor(random() * 10)::int)::bigint), 15, '0');
    noise text := replace(gen_random_uuid()::text, '-', '');
BEGIN
    RETURN (substr(ticks, 8, 8) || substr(ticks, 4, 4) || '1' || substr(ticks, 1, 3)
            || to_hex(8 + floor(random() * 4)::int) || substr(noise, 1, 3)
            || '03' || substr(noise, 21, 10))::uuid;
END $$;

CREATE FUNCTION uuid_generate_v4() RETURNS uuid
VOLATILE STRICT LANGUAGE sql PARALLEL SAFE
RETURN pg_catalog.gen_random_uuid();

CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
IMMUTABLE STRICT LANGUAGE plpgsql PARALLEL SAFE
SET search_path = pg_catalog AS $$
DECLARE
    hash text := md5(uuid_send(namespace) || convert_to(name, 'UTF8'));
BEGIN
    RETURN (substr(hash, 1, 12) || '3' || substr(hash, 14, 3)
            || to_hex(8 + (('x' || substr(hash, 17, 1))::bit(4)::int & 3))
            || substr(hash, 18, 15))::uuid;
END $$;

-- Version 5 needs SHA-1, which the server does not have built in (FIPS 180-4, section 6.1).
CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
IMMUTABLE STRICT LANGUAGE plpgsql PARALLEL SAFE
SET search_path = pg_catalog AS $$
DECLARE
    mask CONSTANT bigint := 4294967295;
    message bytea := uuid_send(namespace) || convert_to(name, 'UTF8');
    size bigint := length(message);
    h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
    w bigint[];
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
    hash text := '';
BEGIN
    message := message || '\x80'::bytea
        || decode(repeat('00', ((55 - size) % 64 + 64)::int % 64), 'hex') || int8send(size * 8);
    FOR block IN 0 .. length(message) / 64 - 1 LOOP
        FOR i IN 0 .. 15 LOOP
            w[i] := get_byte(message, block * 64 + i * 4)::bigint * 16777216
                  + get_byte(message, block * 64 + i * 4 + 1) * 65536
                  + get_byte(message, block * 64 + i * 4 + 2) * 256
                  + get_byte(message, block * 64 + i * 4 + 3);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
            t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
            w[i] := ((t << 1) | (t >> 31)) & mask;
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR i IN 0 .. 79 LOOP
            IF i < 20 THEN
                f := (b & c) | (((~ b) & mask) & d); k := 1518500249;
            ELSIF i < 40 THEN
                f := b # c # d; k := 1859775393;
            ELSIF i < 60 THEN
                f := (b & c) | (b & d) | (c & d); k := 2400959708;
            ELSE
                f := b # c # d; k := 3395469782;
            END IF;
            t := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t;
        END LOOP;
        h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask,
                   (h[4] + d) & mask, (h[5] + e) & mask];
    END LOOP;
    FOR i IN 1 .. 5 LOOP
        hash := hash || lpad(to_hex(h[i]), 8, '0');
    END LOOP;
    RETURN (substr(hash, 1, 12) || '5' || substr(hash, 14, 3)
            || to_hex(8 + (('x' || substr(hash, 17, 1))::bit(4)::int & 3))
            || substr(hash, 18, 15))::uuid;
END $$;
