using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Godwit.Plans;

namespace Godwit.Cli;

/// <summary>The two streams and the rule between them: with JSON, stdout carries one document and all else goes to stderr.</summary>
internal sealed class Output(TextWriter @out, TextWriter error, bool isJson)
{
    // Nulls are written, unlike in the store: scripts find every field of the contract at any time.
    private static readonly JsonSerializerOptions Json = new(PlanFormat.Json)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private bool _written;

    /// <summary>Whether a document is wanted.</summary>
    public bool IsJson => isJson;

    /// <summary>Standard error.</summary>
    public TextWriter Error => error;

    /// <summary>Where text for people goes.</summary>
    public TextWriter Text => isJson ? error : @out;

    /// <summary>Writes the one document.</summary>
    public void Document<T>(T value)
    {
        // A failure after the result (such as while closing the state file) must not make it two documents.
        if (!_written)
        {
            _written = true;
            @out.WriteLine(JsonSerializer.Serialize(value, Json));
        }
    }

    /// <summary>Tells of a failure, a sentence on stderr and, with JSON, the document, and returns the exit code.</summary>
    public int Fail(Failure failure)
    {
        error.WriteLine(failure.ToText());
        if (isJson)
        {
            Document(new { error = failure.ToDocument() });
        }

        return failure.ExitCode;
    }
}
