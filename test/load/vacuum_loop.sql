VACUUM purchases;
