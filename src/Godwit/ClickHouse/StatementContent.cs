using System.Net;
using System.Text;

namespace Godwit.ClickHouse;

/// <summary>The body of a request: the SQL, then, for an INSERT, a line break and the rows.</summary>
internal sealed class StatementContent(string sql, HttpContent? rows) : HttpContent
{
    // Strict: a broken surrogate must not silently become another name or value.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // After the format's name the server skips one line break and takes every byte behind it as data, binary formats included.
    private readonly byte[] _sql = Utf8.GetBytes(rows is null ? sql : sql.TrimEnd() + "\n");

    /// <summary>The statement, without its rows.</summary>
    public string Sql => sql;

    /// <summary>True once a connection stood and the statement began to leave: from then on it may have run.</summary>
    public bool WasSent { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken ct)
    {
        WasSent = true;
        await stream.WriteAsync(_sql, ct);
        if (rows is not null)
        {
            await rows.CopyToAsync(stream, context, ct);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _sql.Length + (rows?.Headers.ContentLength ?? 0);
        return rows is null || rows.Headers.ContentLength is not null;
    }
}
