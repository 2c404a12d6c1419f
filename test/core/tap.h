/*
 * tap.h
 *	  The Test Anything Protocol, as far as the tests of src/core need it.
 */
#ifndef RECSYS_TEST_TAP_H
#define RECSYS_TEST_TAP_H

#include "core/base/platform.h"

/* Print one result line. */
extern void ok(bool passed, const char *format,...) __attribute__((format(printf, 2, 3)));

/* The groups of tests, one file each. */
extern void test_keys(void);
extern void test_dictionary(void);
extern void test_history(void);
extern void test_exactsum(void);
extern void test_blaskind(void);
extern void test_rhythm(void);
extern void test_burst(void);
extern void test_nextbasket(void);
extern void test_similarity(void);
extern void test_matrix(void);
extern void test_cooccurrence(void);
extern void test_headmatrix(void);
extern void test_trainparts(void);
extern void test_crossgraph(void);
extern void test_packedrow(void);
extern void test_scorer(void);
extern void test_narrowadd(void);
extern void test_batchscorer(void);
extern void test_itemset(void);
extern void test_rule_measures(void);
extern void test_metrics(void);
extern void test_evaluation(void);
extern void test_models(void);
extern void test_rules(void);
extern void test_dense(void);
extern void test_als(void);
extern void test_factorsketch(void);
extern void test_smallsystem(void);
extern void test_recency(void);
extern void test_prior(void);
extern void test_sessionknn(void);
extern void test_choice(void);
extern void test_arrange(void);
extern void test_titlegroups(void);
extern void test_content(void);
extern void test_titlevariants(void);
extern void test_usualprice(void);
extern void test_sameness(void);
extern void test_image(void);
extern void test_armtest(void);
extern void test_peeking(void);
extern void test_bestarm(void);
extern void test_policy(void);
extern void test_linearpolicy(void);
extern void test_retirement(void);
extern void test_assignment(void);
extern void test_preference(void);
extern void test_offpolicy(void);
extern void test_brokeroptions(void);
extern void test_streampath(void);

#endif							/* RECSYS_TEST_TAP_H */
