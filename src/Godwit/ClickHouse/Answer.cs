using System.Text;

namespace Godwit.ClickHouse;

/// <summary>A server's answer whose status was good; its body is read once, and can still turn out to be a failure.</summary>
internal sealed class Answer(HttpResponseMessage response, Stream body, Failures failures, Patience patience) : IDisposable
{
    private const int LongestError = 1 << 20;

    public Failures Failures => failures;

    /// <summary>The word that frames an exception in the middle of this body; null from servers that do not frame.</summary>
    public string? ExceptionTag => Header("X-ClickHouse-Exception-Tag");

    /// <summary>The format that the server really used; null from servers that do not tell.</summary>
    public string? Format => Header("X-ClickHouse-Format");

    /// <summary>The time zone of DateTime columns without their own; null from servers that do not tell.</summary>
    public string? TimeZone => Header("X-ClickHouse-Timezone");

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="IOException">The connection broke: the caller knows whether an error text came before.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await patience.ReadAsync(body, buffer);
        }
        catch (OperationCanceledException e)
        {
            patience.Caller.ThrowIfCancellationRequested();
            throw failures.NoAnswer(e, patience.Limit);
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Reads to the end and forgets it.</summary>
    public async Task DrainAsync()
    {
        var buffer = new byte[16384];
        try
        {
            while (await ReadAsync(buffer) > 0)
            {
            }
        }
        catch (IOException e)
        {
            throw failures.BrokenOff(e);
        }
    }

    /// <summary>Reads an error's text; a text that breaks off is better than none.</summary>
    public async Task<string> ReadErrorAsync()
    {
        using var text = new MemoryStream();
        var buffer = new byte[16384];
        try
        {
            for (int read; text.Length < LongestError && (read = await ReadAsync(buffer)) > 0;)
            {
                text.Write(buffer, 0, read);
            }
        }
        catch (IOException) when (text.Length > 0)
        {
            // The status already says that it failed, and the beginning of the text holds the code.
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    public void Dispose()
    {
        response.Dispose();
        patience.Dispose();
    }

    private string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
