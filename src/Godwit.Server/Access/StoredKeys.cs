using System.Xml.Linq;
using Godwit.Metadata.Accounts;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Godwit.Server.Access;

/// <summary>Keeps the keys that protect cookies and forms beside the runs, so that they outlive the process and are the same for several servers.</summary>
internal sealed class StoredKeys(IAccountStore store) : IXmlRepository
{
    // The framework asks synchronously, when the first cookie is made or read.
    public IReadOnlyCollection<XElement> GetAllElements() => [.. Task.Run(() => store.ListKeysAsync()).GetAwaiter().GetResult().Select(XElement.Parse)];

    public void StoreElement(XElement element, string friendlyName) =>
        Task.Run(() => store.PutKeyAsync(friendlyName, element.ToString(SaveOptions.DisableFormatting))).GetAwaiter().GetResult();
}
