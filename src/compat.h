/*
 * compat.h
 *	  Differences between PostgreSQL 15, 16, 17 and 18, all in one place.
 *
 * No other file asks for the server's version.  A server that is newer than all of
 * these may build and still do something else than before, in what it logs or in the
 * order in which it compares plans; so it is refused until it has been tried.
 */
#ifndef RECSYS_COMPAT_H
#define RECSYS_COMPAT_H

#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#define RECSYS_NEWEST_POSTGRESQL 18

#if PG_VERSION_NUM < 150000
#error "recsys needs PostgreSQL 15 or newer"
#endif
#if PG_VERSION_NUM / 10000 > RECSYS_NEWEST_POSTGRESQL && !defined(RECSYS_ANY_POSTGRESQL)
#error "recsys is not known to work with this version of PostgreSQL: make RECSYS_ANY_POSTGRESQL=1 tries"
#endif

#ifdef FRONTEND

/* for the stream program, a client: what libpgcommon has */
#include "common/jsonapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* 17 fills a lexer of JSON that is the caller's */
#if PG_VERSION_NUM >= 170000
#define RECSYS_BEGIN_JSON(lexer, text, length) \
	((void) makeJsonLexContextCstringLen((lexer), (text), (length), PG_UTF8, false))
#else
#define RECSYS_BEGIN_JSON(lexer, text, length) \
	do { \
		memset((lexer), 0, sizeof(JsonLexContext)); \
		(lexer)->input = (lexer)->token_terminator = (lexer)->line_start = unconstify(char *, (text)); \
		(lexer)->line_number = 1; \
		(lexer)->input_length = (length); \
		(lexer)->input_encoding = PG_UTF8; \
	} while (0)
#endif

/* One that has each string without its escapes in strval; 17 can free it. */
#if PG_VERSION_NUM >= 170000
#define RECSYS_CREATE_JSON_UNESCAPER(text, length) \
	makeJsonLexContextCstringLen(NULL, (text), (length), PG_UTF8, true)
#define RECSYS_FREE_JSON_UNESCAPER(lexer) freeJsonLexContext(lexer)
#else
#define RECSYS_CREATE_JSON_UNESCAPER(text, length) \
	makeJsonLexContextCstringLen(unconstify(char *, (text)), (length), PG_UTF8, true)
#define RECSYS_FREE_JSON_UNESCAPER(lexer) \
	(pfree((lexer)->strval->data), pfree((lexer)->strval), pfree(lexer))
#endif

#else							/* the server */

#include "access/amapi.h"
#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "commands/vacuum.h"
#include "nodes/pathnodes.h"

/* 16 calls the files of relations by another name */
#if PG_VERSION_NUM >= 160000
#define RECSYS_FIRST_FILE_SUBID(relation) ((relation)->rd_firstRelfilelocatorSubid)
#else
#define RECSYS_FIRST_FILE_SUBID(relation) ((relation)->rd_firstRelfilenodeSubid)
#endif

/* ... and their numbers */
#if PG_VERSION_NUM >= 160000
#define RECSYS_FILE_NUMBER(relation) ((relation)->rd_locator.relNumber)
#else
#define RECSYS_FILE_NUMBER(relation) ((relation)->rd_node.relNode)
#endif

/* Gives a relation a new, empty file, which replaces its own when the transaction commits. */
#if PG_VERSION_NUM >= 160000
#define RECSYS_SET_NEW_FILE(relation, persistence) RelationSetNewRelfilenumber((relation), (persistence))
#else
#define RECSYS_SET_NEW_FILE(relation, persistence) RelationSetNewRelfilenode((relation), (persistence))
#endif

/* Pins a page if the buffer, which had it lately, still has it. */
#if PG_VERSION_NUM >= 160000
#define RECSYS_READ_RECENT_BUFFER(relation, block, buffer) \
	ReadRecentBuffer((relation)->rd_locator, MAIN_FORKNUM, (block), (buffer))
#else
#define RECSYS_READ_RECENT_BUFFER(relation, block, buffer) \
	ReadRecentBuffer((relation)->rd_node, MAIN_FORKNUM, (block), (buffer))
#endif

/* until 16 a setting could let rows go that snapshots of some age still see */
#if PG_VERSION_NUM < 170000
#include "utils/snapmgr.h"
#define RECSYS_SNAPSHOT_IS_TOO_OLD(snapshot) \
	(OldSnapshotThresholdActive() && (snapshot)->whenTaken < GetOldSnapshotThresholdTimestamp())
#else
#define RECSYS_SNAPSHOT_IS_TOO_OLD(snapshot) false
#endif

/* 16 took the accessors of variable-length values out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The next of sorted values that are passed by value; 16 asks whether others are to be copied. */
#if PG_VERSION_NUM >= 160000
#define RECSYS_TUPLESORT_GETDATUM(sort, value, isnull) \
	tuplesort_getdatum((sort), true, false, (value), (isnull), NULL)
#else
#define RECSYS_TUPLESORT_GETDATUM(sort, value, isnull) \
	tuplesort_getdatum((sort), true, (value), (isnull), NULL)
#endif

/* 18 took the functions that print properties out of explain.h */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18 has the attribute of a function that does not return before the declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 17 named all tests for the kind of a process alike */
#if PG_VERSION_NUM < 170000
#define AmAutoVacuumWorkerProcess() IsAutoVacuumWorkerProcess()
#endif

/* 18 does not tell the executor any more that it is called but once */
#if PG_VERSION_NUM >= 180000
#define RECSYS_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define RECSYS_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define RECSYS_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define RECSYS_EXECUTOR_RUN_ARGUMENTS query, direction, count, once
#endif

/* 18 does not change the namespaces that it is given */
#if PG_VERSION_NUM >= 180000
#define RECSYS_RELOPTION_NAMESPACE const char *const
#else
#define RECSYS_RELOPTION_NAMESPACE char *
#endif

/* Properties of an access method that some versions lack, where zero is not right */
#if PG_VERSION_NUM >= 180000
#define RECSYS_SET_NEWER_PROPERTIES(routine) ((routine)->amconsistentequality = true)
#else
#define RECSYS_SET_NEWER_PROPERTIES(routine) ((void) 0)
#endif

/* 18 tells vacuum_delay_point whether ANALYZE is calling */
#if PG_VERSION_NUM >= 180000
#define RECSYS_VACUUM_DELAY_POINT() vacuum_delay_point(false)
#else
#define RECSYS_VACUUM_DELAY_POINT() vacuum_delay_point()
#endif

/* 18 asks whether the primary key may be deferrable */
#if PG_VERSION_NUM >= 180000
#define RECSYS_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex((relation), false)
#else
#define RECSYS_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex(relation)
#endif

/* 17 takes parameters of operator classes and targets of statistics beside the columns */
#if PG_VERSION_NUM >= 170000
#define RECSYS_INDEX_CREATE(heap, name, info, columns, method, tablespace, collations, classes, flags, options) \
	index_create((heap), (name), InvalidOid, InvalidOid, InvalidOid, 0, (info), (columns), (method), \
				 (tablespace), (collations), (classes), NULL, (flags), NULL, (options), 0, 0, true, true, NULL)
#else
#define RECSYS_INDEX_CREATE(heap, name, info, columns, method, tablespace, collations, classes, flags, options) \
	index_create((heap), (name), InvalidOid, InvalidOid, InvalidOid, 0, (info), (columns), (method), \
				 (tablespace), (collations), (classes), (flags), (options), 0, 0, true, true, NULL)
#endif

/* Which of its transactions a session is in; 17 put it into a struct. */
#if PG_VERSION_NUM >= 170000
#define RECSYS_LOCAL_TRANSACTION (MyProc->vxid.lxid)
#else
#define RECSYS_LOCAL_TRANSACTION (MyProc->lxid)
#endif

/* 18 counts index searches for EXPLAIN ANALYZE */
#if PG_VERSION_NUM >= 180000
#define RECSYS_COUNT_INDEX_SCAN(scan) \
	do { \
		pgstat_count_index_scan((scan)->indexRelation); \
		if ((scan)->instrument) \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define RECSYS_COUNT_INDEX_SCAN(scan) pgstat_count_index_scan((scan)->indexRelation)
#endif

/*
 * Logs that a page which was deleted at a transaction id is used again, for standby servers:
 * gistXLogPageReuse has since 16 the table, too, to tell whether it is a catalog.
 */
#include "access/gist_private.h"
#if PG_VERSION_NUM >= 160000
#define RECSYS_LOG_PAGE_REUSE(index, block, xid) gistXLogPageReuse((index), (index), (block), (xid))
#else
#define RECSYS_LOG_PAGE_REUSE(index, block, xid) gistXLogPageReuse((index), (block), (xid))
#endif

/* 16 has one ownership test for all kinds of objects */
#if PG_VERSION_NUM >= 160000
#define RECSYS_ROLE_OWNS_RELATION(relation, role) \
	object_ownercheck(RelationRelationId, (relation), (role))
#else
#define RECSYS_ROLE_OWNS_RELATION(relation, role) pg_class_ownercheck((relation), (role))
#endif
#define RECSYS_OWNS_RELATION(relation) RECSYS_ROLE_OWNS_RELATION((relation), GetUserId())

/* 16 has one privilege test for most kinds of objects */
#if PG_VERSION_NUM >= 160000
#define RECSYS_SCHEMA_ACLCHECK(schema, mode) \
	object_aclcheck(NamespaceRelationId, (schema), GetUserId(), (mode))
#else
#define RECSYS_SCHEMA_ACLCHECK(schema, mode) pg_namespace_aclcheck((schema), GetUserId(), (mode))
#endif

/* the same of functions */
#if PG_VERSION_NUM >= 160000
#define RECSYS_FUNCTION_ACLCHECK(function) \
	object_aclcheck(ProcedureRelationId, (function), GetUserId(), ACL_EXECUTE)
#else
#define RECSYS_FUNCTION_ACLCHECK(function) pg_proc_aclcheck((function), GetUserId(), ACL_EXECUTE)
#endif

/* 16 keeps the rights that a query needs in a list of their own; errors out where one is missing */
#if PG_VERSION_NUM >= 160000
#define RECSYS_CHECK_QUERY_RIGHTS(query) \
	((void) ExecCheckPermissions((query)->rtable, (query)->rteperminfos, true))
#else
#define RECSYS_CHECK_QUERY_RIGHTS(query) ((void) ExecCheckRTPerms((query)->rtable, true))
#endif

/* 17 lets owners grant the maintenance of a table */
#if PG_VERSION_NUM >= 170000
#define RECSYS_MAY_MAINTAIN(table) \
	(pg_class_aclcheck((table), GetUserId(), ACL_MAINTAIN) == ACLCHECK_OK)
#else
#define RECSYS_MAY_MAINTAIN(table) false
#endif

/* 17 shows extensions' wait events by name */
#if PG_VERSION_NUM >= 170000
#define RECSYS_WAIT_EVENT(name) WaitEventExtensionNew(name)
#else
#define RECSYS_WAIT_EVENT(name) PG_WAIT_EXTENSION
#endif

/* 17 also keeps the search path safe while the table owner's code runs */
#if PG_VERSION_NUM >= 170000
#define RECSYS_RESTRICT_SEARCH_PATH() RestrictSearchPath()
#else
#define RECSYS_RESTRICT_SEARCH_PATH() ((void) 0)
#endif

/* 16 may return what is wrong with the name of a type instead of erring */
#if PG_VERSION_NUM >= 160000
#define RECSYS_PARSE_TYPE(name, type, modifier) ((void) parseTypeString((name), (type), (modifier), NULL))
#else
#define RECSYS_PARSE_TYPE(name, type, modifier) parseTypeString((name), (type), (modifier), false)
#endif

#endif							/* FRONTEND */

#endif							/* RECSYS_COMPAT_H */
