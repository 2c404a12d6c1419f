"""What each chart has to show, as SQL of its own: chart -> query whose columns are named as those of
the chart's data.  Requests, impressions, clicks, carts and latencies are counted in the log itself;
the rest, which sql/metrics.sql explains, in the views.
"""

# each request with what came of it, and each item shown; clicks on one item of a request count once
LOG = """
WITH request AS (
    SELECT date_trunc('day', time) AS time, recommender, experiment, variant, COALESCE(experiment || ': ' || variant, experiment, recommender) AS list,
           request_id, user_id, latency_ms, item_ids
    FROM recsys.request_log),
event AS (
    SELECT DISTINCT e.request_id, e.item_id, e.kind FROM recsys.event_log AS e),
shown AS (
    SELECT r.*, i.item_id, i.position,
           EXISTS (SELECT FROM event e WHERE e.request_id = r.request_id AND e.item_id = i.item_id AND e.kind = 'click') AS click,
           EXISTS (SELECT FROM event e WHERE e.request_id = r.request_id AND e.item_id = i.item_id AND e.kind = 'cart') AS cart
    FROM request AS r CROSS JOIN LATERAL unnest(r.item_ids) WITH ORDINALITY AS i (item_id, position))
"""
DAILY = "FROM recsys.metrics_daily"
# NULL where there is none of what would be weighted
MEAN = "sum({0} * impressions) / sum(CASE WHEN {0} IS NOT NULL THEN impressions END) AS {0}_mean"
RESULTS = "recsys.experiments e, recsys.experiment_results(e.name, 'auto', NULL) r"
HISTORY = """SELECT date_trunc('day', h.time - interval '1 microsecond') AS time, variant, {}
    FROM recsys.experiment_history('home_page') h WHERE is_primary AND segment IS NULL GROUP BY 1, 2"""


def means(*columns):
    return ", ".join(MEAN.format(c) for c in columns)


def catalogue(columns, by="COALESCE(experiment || ': ' || variant, experiment, recommender) AS list, "):
    groups = "1, 2" if by else "1"
    return f"SELECT time, {by}{columns} FROM recsys.metrics_catalogue_daily GROUP BY {groups}"


# of big numbers: the total, beside the curve
TOTALS = {
    "Requests": ("requests_sum", "SELECT count(*) FROM recsys.request_log"),
    "CTR": ("ctr_all", LOG + "SELECT count(*) FILTER (WHERE click)::double precision / count(*) FROM shown"),
    "Conversion": ("conversion_all", f"SELECT sum(ordered_users)::double precision / sum(users) {DAILY}"),
    "Revenue": ("revenue_sum", f"SELECT sum(revenue) {DAILY}"),
    "Sample ratio": ("sample_ratio", f"SELECT min(r.sample_ratio_p) FROM {RESULTS}"),
    "Pending": ("pending_sum", "SELECT sum(pending) FROM recsys.index_stats"),
    "Staleness": ("staleness_max", "SELECT max(staleness) FROM recsys.index_stats"),
    "Problems": ("problems", "SELECT count(*) FROM recsys.index_stats WHERE problem IS NOT NULL"),
    "Metrics computed": ("refreshed_at_last", "SELECT max(refreshed_at) FROM recsys.metrics_day"),
}

ROWS = {
    "CTR by day and variant":
        LOG + "SELECT time, list, count(*) FILTER (WHERE click)::double precision / count(*) AS ctr_all FROM shown GROUP BY 1, 2",
    "Conversion by day and variant":
        f"SELECT time, COALESCE(experiment || ': ' || variant, experiment, recommender) AS list, sum(ordered_users)::double precision / sum(users) AS conversion_all {DAILY} GROUP BY 1, 2",
    "Revenue by day and variant":
        f"SELECT time, COALESCE(experiment || ': ' || variant, experiment, recommender) AS list, sum(revenue) AS revenue_sum {DAILY} GROUP BY 1, 2",
    "CTR by place in the list":
        LOG + "SELECT position, list, count(*) FILTER (WHERE click)::double precision / count(*) AS ctr_all FROM shown GROUP BY 1, 2",
    "Variants": LOG + f"""
        SELECT s.*, orders_sum, conversion_all, revenue_sum, revenue_sum::double precision / requests_sum AS revenue_per_request_all
        FROM (SELECT recommender, experiment, variant, count(DISTINCT request_id) AS requests_sum, count(*) AS impressions_sum,
                     count(*) FILTER (WHERE click) AS clicks_sum, count(*) FILTER (WHERE click)::double precision / count(*) AS ctr_all,
                     count(*) FILTER (WHERE cart) AS carts_sum FROM shown GROUP BY 1, 2, 3) AS s
        JOIN (SELECT recommender AS r, experiment AS e, variant AS v, sum(orders) AS orders_sum, sum(revenue) AS revenue_sum,
                     sum(ordered_users)::double precision / sum(users) AS conversion_all {DAILY} GROUP BY 1, 2, 3) AS o
        ON r = recommender AND e IS NOT DISTINCT FROM experiment AND v IS NOT DISTINCT FROM variant""",
    "Verdicts":
        f"""SELECT metric, variant, r.users, value, control, control_users, control_value, lift, lift_low, lift_high, p_adjusted, verdict
            FROM {RESULTS} WHERE r.segment IS NULL""",
    "Lift of the primary metric, with its interval":
        HISTORY.format('max(lift) AS "Lift", max(lift_low) AS "Lift from", max(lift_high) AS "Lift to"'),
    "Primary metric: variant and control": HISTORY.format('max(value) AS "Variant", max(control_value) AS "Control"'),
    "Users so far": HISTORY.format('max(users) AS "Users", max(control_users) AS "Users of the control"'),
    "Lift of the primary metric by segment":
        f"""SELECT COALESCE(r.segment, 'all') AS segment_name, variant, lift_low AS "Lift from", lift AS "Lift", lift_high AS "Lift to"
            FROM {RESULTS} WHERE is_primary""",
    "Alerts": "SELECT severity, alert, experiment, since, detail FROM recsys.experiment_alerts",
    "Exposure against orders":
        """SELECT seller, CASE WHEN is_new THEN 'new sellers' ELSE 'other sellers' END AS seller_age,
                  sum(exposure) / (SELECT sum(exposure) FROM recsys.metrics_sellers_daily) AS exposure_share_all,
                  sum(orders)::double precision / (SELECT sum(orders) FROM recsys.metrics_sellers_daily)::double precision AS orders_share_all,
                  sum(revenue) AS revenue_sum
           FROM recsys.metrics_sellers_daily GROUP BY 1, 2""",
    "Sellers by exposure":
        """SELECT seller, sum(exposure) / (SELECT sum(exposure) FROM recsys.metrics_sellers_daily) AS exposure_share_all,
                  sum(orders)::double precision / (SELECT sum(orders) FROM recsys.metrics_sellers_daily)::double precision AS orders_share_all,
                  sum(revenue)::double precision / (SELECT sum(revenue) FROM recsys.metrics_sellers_daily)::double precision AS revenue_share_all,
                  sum(impressions) AS impressions_sum, sum(clicks)::double precision / sum(impressions)::double precision AS ctr_all,
                  sum(orders) AS orders_sum, sum(revenue) AS revenue_sum
           FROM recsys.metrics_sellers_daily GROUP BY 1""",
    "How unequally sellers are shown": catalogue("avg(seller_gini) AS seller_gini_mean"),
    "New sellers": catalogue(means("new_sellers_shown", "new_sellers_clicked", "new_sellers_ordered"), ""),
    "Coverage by day and variant": catalogue("avg(items_shown::double precision / catalogue_items) AS coverage_mean"),
    "Long tail: what is shown":
        """SELECT COALESCE(experiment || ': ' || variant, experiment, recommender) AS list,
                  CASE WHEN popularity >= 0.9 THEN 'head: most popular tenth' WHEN popularity >= 0.5 THEN 'middle: rest of the upper half'
                       WHEN popularity < 0.5 THEN 'tail: less popular half' ELSE 'not known' END AS popularity_group,
                  sum(impressions) AS impressions_sum
           FROM recsys.metrics_items_daily GROUP BY 1, 2""",
    "Novelty": catalogue(means("novelty")),
    "Popularity bias": catalogue(means("popularity_bias")),
    "New items": catalogue(means("new_items_shown", "new_items_clicked", "new_items_ordered"), ""),
    "Categories":
        LOG + """SELECT CASE WHEN recommender LIKE '%purchases_recsys' THEN 'not known' ELSE category END AS category_name, count(*) AS impressions_sum
                 FROM shown JOIN public.products ON product_id::text = item_id GROUP BY 1""",
    "Items by impressions":
        """SELECT item_id, category, sum(impressions) AS impressions_sum, sum(clicks) AS clicks_sum,
                  sum(clicks)::double precision / sum(impressions)::double precision AS ctr_all, sum(orders) AS orders_sum, sum(revenue) AS revenue_sum
           FROM recsys.metrics_items_daily GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1000""",
    "Shown in vain":
        """SELECT item_id, recommender, impressions, clicks, expected_clicks, chance, last_day FROM recsys.item_fatigue
           ORDER BY chance LIMIT 1000""",
    "Indexes":
        """SELECT index_name, table_name, model, users, items, interactions, pending, staleness, built_at, last_merge_at, size_bytes, problem
           FROM recsys.index_stats""",
    "Latency by day": LOG + """
        SELECT time, max(p50) AS p50_ms_max, max(p95) AS p95_ms_max, max(p99) AS p99_ms_max
        FROM (SELECT time, list, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
                     percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95, percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
              FROM request WHERE latency_ms IS NOT NULL GROUP BY 1, 2) AS l GROUP BY 1""",
    "95 of 100 lists within, by variant": LOG + """
        SELECT time, list, percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95_ms_max
        FROM request WHERE latency_ms IS NOT NULL GROUP BY 1, 2""",
    "Size": "SELECT index_name, pg_relation_size(index_name::regclass) AS size_sum FROM recsys.index_stats",
    "To do": "SELECT topic, object, reason, command FROM recsys.maintenance_advice",
    "Scheduled jobs": "SELECT job, recommender, schedule, command, active, last_run, last_status, last_message FROM recsys.schedules",
}
