"""Stand-in for polars: the parts of a frame that muster's query needs."""


class DataFrame:
    def __init__(self, columns):
        self.columns = columns

    def select(self, names):
        return DataFrame({name: self.columns[name] for name in names})

    def rows(self):
        return list(zip(*self.columns.values()))
