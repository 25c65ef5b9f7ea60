-- Figures of the field that change from day to day. Code tables that change with an edition of the format (communes,
-- currencies, customs, taxes) are shipped with the code that reads them.

-- The UF in pesos, by its day in Chile (Banco Central de Chile publishes them from the 9th to the 9th, ahead).
CREATE TABLE uf_values (
    day date PRIMARY KEY,
    value numeric(12, 2) NOT NULL CHECK (value > 0),
    set_at timestamptz NOT NULL DEFAULT fmgo_now()
);
