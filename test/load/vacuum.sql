VACUUM purchases;
\sleep 500 ms
