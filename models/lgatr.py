class LGATr: pass
