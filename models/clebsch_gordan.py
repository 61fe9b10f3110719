class ClebschGordan: pass
