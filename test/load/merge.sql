SELECT to_regproc('recsys.merge') IS NOT NULL AS can_merge \gset
\if :can_merge
SELECT recsys.merge('purchases_recsys');
\endif
\sleep 200 ms
