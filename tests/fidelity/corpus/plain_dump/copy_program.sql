COPY t FROM PROGRAM 'id';
COPY t TO PROGRAM $$id$$;
copy (select 1) to '/tmp/x';
