using System.Globalization;
using System.Net;
using System.Text;
using Godwit.ClickHouse;

namespace Godwit.Cli.Demo;

/// <summary>The rows of one insert: their ids are <paramref name="FirstId"/> and those that follow.</summary>
/// <param name="Writer">Whose, from 0.</param>
/// <param name="FirstId">See <see cref="WriterLog"/>.</param>
/// <param name="Rows">How many.</param>
internal readonly record struct WriterBatch(int Writer, long FirstId, int Rows);

/// <summary>Makes rows of ids and sends them, all in one statement and one block, so that an insert is all or nothing.</summary>
internal interface IRowSource
{
    /// <summary>Inserts a batch; returns when the server has acknowledged it.</summary>
    Task InsertAsync(ClickHouseGateway gateway, QualifiedName table, WriterBatch batch, QueryOptions options, CancellationToken ct);
}

/// <summary>The server makes the rows: <c>INSERT … SELECT … FROM numbers</c>, where <c>number</c> is the row's id.</summary>
/// <param name="Columns">The columns, as SQL.</param>
/// <param name="Expressions">Their values, as SQL over <c>number</c>.</param>
internal sealed record SqlRows(string Columns, string Expressions) : IRowSource
{
    /// <summary>
    /// How long the insert takes at least; it holds the table that had the name when it began, for all that time. The
    /// server allows three seconds without being asked, and is asked for more.
    /// </summary>
    public TimeSpan Duration { get; init; }

    /// <inheritdoc/>
    public Task InsertAsync(ClickHouseGateway gateway, QualifiedName table, WriterBatch batch, QueryOptions options, CancellationToken ct)
    {
        if (Duration > TimeSpan.Zero)
        {
            options = options with { Settings = SlowSettings(options.Settings) };
        }

        return gateway.ExecuteAsync(Statement(table, batch), options, ct);
    }

    /// <summary>The statement.</summary>
    internal string Statement(QualifiedName table, WriterBatch batch)
    {
        var seconds = (Duration.TotalSeconds / Math.Max(1, batch.Rows)).ToString("0.######", CultureInfo.InvariantCulture);
        var wait = Duration > TimeSpan.Zero ? $" WHERE sleepEachRow({seconds}) = 0" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO {table.ToSql()} ({Columns}) SELECT {Expressions} FROM numbers({batch.FirstId}, {batch.Rows}){wait}");
    }

    // The rows of one block are slept through together, so that small blocks keep the statement killable; the insert joins them again.
    private Dictionary<string, string> SlowSettings(IReadOnlyDictionary<string, string>? settings) =>
        new(settings ?? new Dictionary<string, string>(), StringComparer.Ordinal)
        {
            ["max_block_size"] = "1",
            ["max_threads"] = "1",
            ["function_sleep_max_microseconds_per_block"] = ((long)Duration.TotalMicroseconds * 2).ToString(CultureInfo.InvariantCulture),
        };
}

/// <summary>The writer makes the rows and sends them in a format, as most clients do.</summary>
/// <param name="Columns">The columns, as SQL.</param>
/// <param name="Format">The format, such as TabSeparated.</param>
/// <param name="Row">The row of an id, in that format, with its line break.</param>
internal sealed record FormatRows(string Columns, string Format, Func<long, string> Row) : IRowSource
{
    /// <summary>How long sending the body takes; the table is held for all that time.</summary>
    public TimeSpan Duration { get; init; }

    /// <inheritdoc/>
    public async Task InsertAsync(ClickHouseGateway gateway, QualifiedName table, WriterBatch batch, QueryOptions options, CancellationToken ct)
    {
        var rows = Enumerable.Range(0, batch.Rows).Select(i => Encoding.UTF8.GetBytes(Row(batch.FirstId + i)));
        using HttpContent content = Duration > TimeSpan.Zero
            ? new SlowContent([.. rows], Duration)
            : new ByteArrayContent([.. rows.SelectMany(bytes => bytes)]);
        await gateway.InsertAsync($"INSERT INTO {table.ToSql()} ({Columns}) FORMAT {Format}", content, options, ct);
    }

    /// <summary>A body that arrives row by row.</summary>
    private sealed class SlowContent(byte[][] rows, TimeSpan duration) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            foreach (var row in rows)
            {
                await stream.WriteAsync(row, cancellationToken);
                await stream.FlushAsync(cancellationToken);
                await Task.Delay(duration / rows.Length, cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
