using System.Data.Common;
using System.Net;
using System.Text;

namespace Godwit.Copying;

/// <summary>The first column of a result, a row a line, as the body of an INSERT that is sent while the rows come.</summary>
internal sealed class JsonRows(DbDataReader reader, Action<long> onRows, CancellationToken ct) : HttpContent
{
    private const int ReportEvery = 10_000;
    private static readonly byte[] LineEnd = [(byte)'\n'];

    /// <summary>Why reading failed; null when it did not.</summary>
    public DbException? Failure { get; private set; }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        try
        {
            for (var rows = 1L; await reader.ReadAsync(ct); rows++)
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(reader.GetString(0)), ct);
                await stream.WriteAsync(LineEnd, ct);
                if (rows % ReportEvery == 0)
                {
                    onRows(rows);
                }
            }
        }
        catch (DbException e)
        {
            Failure = e;
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
