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

    private readonly TableSnapshot _table;
    private readonly IReadOnlyList<string> _windows;
    private readonly double _keep;

    private RowSample(TableSnapshot table, IReadOnlyList<string> windows, double keep, double share) => (_table, _windows, _keep, Share) = (table, windows, keep, share);

    /// <summary>The chance of a row to be drawn, from 0 to 1.</summary>
    public double Share { get; }

    /// <summary>Looks at the sizes and the parts of a table.</summary>
    public static async Task<RowSample> OfAsync(ClickHouseGateway gateway, TableSnapshot table, CancellationToken ct)
    {
        var width = Math.Max(1, table.Partitions.Sum(p => p.UncompressedBytes) / (double)Math.Max(1, table.Rows));
        var read = Math.Min(MostRead, MostReadBytes / width);
        var kept = Math.Min(MostKept, MostKeptBytes / width);
        var share = Math.Min(1, kept / Math.Max(1, table.Rows));
        if (table.Rows <= read)
        {
            return new RowSample(table, [], share, share);
        }

        var parts = await gateway.QueryAsync($"SELECT name, rows FROM system.parts WHERE {TableReader.Where(table.Name, "table")} AND active AND rows > 0 ORDER BY partition_id, min_block_number", ct: ct);
        return new RowSample(table, Place(parts.Select(p => (p["name"], p.Int64("rows"))).ToList(), (long)(read / Windows)), Math.Min(1, kept / read), share);
    }

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
