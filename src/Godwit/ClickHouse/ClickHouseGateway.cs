using System.Runtime.CompilerServices;
using System.Text;

namespace Godwit.ClickHouse;

/// <summary>
/// One ClickHouse server over HTTP. It works with servers from 18.16 on. Every method throws <see cref="ClickHouseException"/> when the
/// server refuses, <see cref="ClickHouseUnreachableException"/> when there is no whole answer, and
/// <see cref="OperationCanceledException"/> when the caller gives up, which does not stop the statement on the server.
/// </summary>
/// <example><code>
/// using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = new Uri("http://127.0.0.1:8123") });
/// var parts = await gateway.ScalarAsync&lt;long&gt;("SELECT count() FROM system.parts");
/// </code></example>
public sealed class ClickHouseGateway : IDisposable
{
    private const int MostLists = 50;
    private static readonly TimeSpan BetweenLists = TimeSpan.FromMilliseconds(20);
    private static readonly QueryOptions Defaults = new();
    private readonly HttpExchange _exchange;
    private readonly Func<CancellationToken, Task>? _guard;
    private readonly bool _isShared;

    /// <summary>Prepares the connection; nothing is sent yet.</summary>
    /// <param name="options">Where the server is.</param>
    /// <param name="handler">What sends instead of a socket; it stays the caller's.</param>
    /// <exception cref="ArgumentException">The options have <see cref="ClickHouseOptions.Problems"/>; the message lists them all.</exception>
    public ClickHouseGateway(ClickHouseOptions options, HttpMessageHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        Name = options.Name;
        _exchange = new HttpExchange(options, handler);
    }

    private ClickHouseGateway(string name, HttpExchange exchange, Func<CancellationToken, Task>? guard) => (Name, _exchange, _guard, _isShared) = (name, exchange, guard, true);

    /// <summary>host:port, for people.</summary>
    public string Name { get; }

    /// <summary>The same connections, with something that is asked right before anything is sent and may throw. The connections stay this one's.</summary>
    internal ClickHouseGateway Guarded(Func<CancellationToken, Task> guard) => new(Name, _exchange, guard);

    /// <summary>Another node of the cluster, reached with the same scheme and login. The connections stay this one's.</summary>
    /// <param name="node">host:port of its HTTP interface.</param>
    internal ClickHouseGateway At(string node) => node == Name ? this : new(node, _exchange.At(node), _guard);

    /// <summary>Runs a statement to its end and forgets what it returns.</summary>
    public async Task ExecuteAsync(string sql, QueryOptions? options = null, CancellationToken ct = default)
    {
        using var answer = await SendAsync(new Statement(sql, options ?? Defaults), ct);
        await answer.DrainAsync();
    }

    /// <summary>Runs a statement and holds all its rows. It must not name a FORMAT.</summary>
    public async Task<IReadOnlyList<Row>> QueryAsync(string sql, QueryOptions? options = null, CancellationToken ct = default)
    {
        using var answer = await SendAsync(new Statement(sql, options ?? Defaults), ct);
        var rows = new List<Row>();
        await foreach (var row in RowReader.ReadAsync(answer, statusIsTruth: true, ct))
        {
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>
    /// Runs a statement and hands out its rows as they come, holding one at a time. The statement may still fail after any row; then the
    /// enumeration throws. It must not name a FORMAT. Leaving the enumeration early breaks the connection off.
    /// </summary>
    public async IAsyncEnumerable<Row> StreamAsync(
        string sql,
        QueryOptions? options = null,
        [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var answer = await SendAsync(new Statement(sql, options ?? Defaults, isStream: true), ct);
        await foreach (var row in RowReader.ReadAsync(answer, statusIsTruth: false, ct))
        {
            yield return row;
        }
    }

    /// <summary>The one value of a statement's one row: long, int, ulong, double, bool, string, Guid or DateTimeOffset.</summary>
    /// <exception cref="InvalidOperationException">There is not exactly one row with one column, or it is NULL or no such value.</exception>
    public async Task<T> ScalarAsync<T>(string sql, QueryOptions? options = null, CancellationToken ct = default)
    {
        var rows = await QueryAsync(sql, options, ct);
        return rows is [{ Columns: [var column] } row]
            ? row.Convert<T>(column)
            : throw new InvalidOperationException(
                $"One value was expected of {Name}, but {rows.Count} rows of {(rows.Count > 0 ? rows[0].Columns.Count : 0)} columns came.");
    }

    /// <summary>Sends rows. When it returns, the server has stored them; after any exception that does not say otherwise, it may have.</summary>
    /// <param name="sqlWithFormat">INSERT … FORMAT X, without rows.</param>
    /// <param name="rows">The rows in that format; the caller disposes it.</param>
    /// <param name="options">See <see cref="QueryOptions"/>.</param>
    /// <param name="ct">Ends the waiting.</param>
    public async Task InsertAsync(string sqlWithFormat, HttpContent rows, QueryOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var answer = await SendAsync(new Statement(sqlWithFormat, options ?? Defaults, rows), ct);
        await answer.DrainAsync();
    }

    /// <inheritdoc cref="InsertAsync(string, HttpContent, QueryOptions?, CancellationToken)"/>
    public async Task InsertAsync(string sqlWithFormat, Stream rows, QueryOptions? options = null, CancellationToken ct = default)
    {
        // Not disposed: it would close the caller's stream.
        var content = new StreamContent(rows);
        await InsertAsync(sqlWithFormat, content, options, ct);
    }

    /// <inheritdoc cref="InsertAsync(string, HttpContent, QueryOptions?, CancellationToken)"/>
    public async Task InsertAsync(string sqlWithFormat, string rows, QueryOptions? options = null, CancellationToken ct = default)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(rows));
        await InsertAsync(sqlWithFormat, content, options, ct);
    }

    /// <summary>Asks whether the server is there; no login is needed, so none is tested.</summary>
    public async Task PingAsync(CancellationToken ct = default)
    {
        using var answer = await _exchange.PingAsync(ct);
        if (await answer.ReadErrorAsync() is var text && !text.StartsWith("Ok.", StringComparison.Ordinal))
        {
            throw answer.Failures.Malformed("it does not answer a ping as ClickHouse does; check the address");
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
        if (!_isShared)
        {
            _exchange.Dispose();
        }
    }

    private async Task<Answer> SendAsync(Statement statement, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            await (_guard?.Invoke(ct) ?? Task.CompletedTask);
            try
            {
                return await _exchange.SendAsync(statement, ct);
            }
            catch (ClickHouseException e) when (e.Code is ClickHouseErrorCodes.UnknownTable or ClickHouseErrorCodes.FileDoesntExist
                && IsList(statement.Sql) && attempt < MostLists)
            {
                await Task.Delay(BetweenLists, ct);
            }
        }
    }

    // A server of 2018 reads the definitions of a database's tables one by one, and gives up when one of them is dropped or renamed meanwhile.
    private static bool IsList(string sql) => sql.StartsWith("SELECT", StringComparison.Ordinal) && sql.Contains("FROM system.tables", StringComparison.Ordinal);
}
