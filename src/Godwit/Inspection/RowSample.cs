using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Which rows of a table stand for all of them. Every row has the same chance, whatever its keys: a range of the present key, or the first rows, would
/// flatter that key. Up to <see cref="MostRead"/> rows the whole table is read and rows are drawn at random. A larger one is read in windows at even
/// distances over its parts, from which rows are drawn too, so that it takes as long for a billion rows as for a million.
/// </summary>
internal sealed class RowSample
{
    private const long MostKept = 1_000_000;
    private const long MostRead = 4_000_000;
    private const long MostKeptBytes = 256L << 20;
    private const long MostReadBytes = 1L << 30;
    private const int Windows = 64;
    private const int MostAttempts = 5;

    /// <summary>The share of the rows that were to be read which must have been found.</summary>
    private const double LeastFound = 0.8;

    private readonly TableSnapshot _table;
    private readonly IReadOnlyList<string> _windows;
    private readonly double _keep;
    private readonly double _read;

    private RowSample(TableSnapshot table, IReadOnlyList<string> windows, double read, double keep) => (_table, _windows, _read, _keep) = (table, windows, read, keep);

    /// <summary>Reads a sample, and another one when merges took parts away that it named.</summary>
    /// <param name="gateway">The server.</param>
    /// <param name="table">The table.</param>
    /// <param name="read">Reads the rows, and says how many there were.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>How many rows were read at last.</returns>
    public static async Task<long> ReadAsync(ClickHouseGateway gateway, TableSnapshot table, Func<RowSample, Task<long>> read, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var sample = await OfAsync(gateway, table, ct);
            var rows = await read(sample);
            if (sample._windows.Count == 0 || rows > sample._read * sample._keep * LeastFound || attempt == MostAttempts)
            {
                return rows;
            }
        }
    }

    /// <summary>The chance of a row to be drawn, from 0 to 1.</summary>
    public static double ShareOf(TableSnapshot table) => Math.Min(1, Kept(Width(table)) / Math.Max(1, table.Rows));

    /// <summary>Looks at the sizes and the parts of a table.</summary>
    private static async Task<RowSample> OfAsync(ClickHouseGateway gateway, TableSnapshot table, CancellationToken ct)
    {
        var width = Width(table);
        var read = Math.Min(MostRead, MostReadBytes / width);
        if (table.Rows <= read)
        {
            return new RowSample(table, [], table.Rows, ShareOf(table));
        }

        var parts = await gateway.QueryAsync($"SELECT name, rows FROM system.parts WHERE {TableReader.Where(table.Name, "table")} AND active AND rows > 0 ORDER BY partition_id, min_block_number", ct: ct);
        return new RowSample(table, Place(parts.Select(p => (p["name"], p.Int64("rows"))).ToList(), (long)(read / Windows)), read, Math.Min(1, Kept(width) / read));
    }

    /// <summary>How much was read, in words. Writers may have added rows since the table was looked at.</summary>
    public static string Words(long rows, TableSnapshot table) => rows >= table.Rows ? $"all {Plain.Count(rows)} rows" : $"{Plain.Count(rows)} of {Plain.Count(table.Rows)} rows";

    private static double Width(TableSnapshot table) => Math.Max(1, table.Partitions.Sum(p => p.UncompressedBytes) / (double)Math.Max(1, table.Rows));

    private static double Kept(double width) => Math.Min(MostKept, MostKeptBytes / width);

    /// <summary>A SELECT of the rows.</summary>
    /// <param name="expressions">What to select, as SQL.</param>
    public string Select(string expressions)
    {
        var draw = _keep >= 1 ? "1" : string.Create(CultureInfo.InvariantCulture, $"rand() % 1000000 < {Math.Max(1, (long)(_keep * 1_000_000))}");
        return _windows.Count == 0
            ? $"SELECT {expressions} FROM {_table.Name.ToSql()} WHERE {draw}"
            : string.Join(" UNION ALL ", _windows.Select(w => $"SELECT {expressions} FROM {_table.Name.ToSql()} WHERE {w} AND {draw}"));
    }

    /// <summary>Windows at even distances over all parts laid end to end; one that reaches over the end of a part goes on in the next.</summary>
    internal static IReadOnlyList<string> Place(IReadOnlyList<(string Name, long Rows)> parts, long length)
    {
        var distance = parts.Sum(p => p.Rows) / (double)Windows;
        List<string> windows = [];
        long before = 0;
        foreach (var (name, rows) in parts)
        {
            for (var i = 0; i < Windows; i++)
            {
                var from = Math.Max(0, (long)(i * distance) - before);
                var to = Math.Min(rows, (long)(i * distance) + length - before);
                if (from < to)
                {
                    windows.Add($"_part = {Sql.Literal(name)} AND _part_offset >= {from} AND _part_offset < {to}");
                }
            }

            before += rows;
        }

        return windows;
    }
}
