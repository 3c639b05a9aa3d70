def real_time_figures(seed): return []
